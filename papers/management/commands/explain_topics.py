"""Show which topics a paper has, and why."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from papers.models import Paper
from papers.text.latex import latex_to_text
from papers.topics import categories, classifier
from papers.topics.classifier import Classification, TopicEvidence

# Longer than any arXiv id, DOI or paper URL.
MAX_SHOWN_CHARS = 80


class Command(BaseCommand):
    help = (
        "Show the evidence that the topic rules find in a paper, its weight, and the resulting "
        "topics. Name a stored paper, or describe one with --title, --abstract, --category and "
        "--keyword."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "id", nargs="?", metavar="ID", help="arXiv id, DOI or URL of a stored paper"
        )
        parser.add_argument("--title", help="title of a paper that need not be stored")
        parser.add_argument("--abstract", default="", help="abstract of that paper")
        parser.add_argument(
            "--category",
            action="append",
            default=[],
            metavar="cs.LG",
            help="arXiv category of that paper; may be repeated",
        )
        parser.add_argument(
            "--keyword", action="append", default=[], help="keyword of that paper; may be repeated"
        )

    def handle(self, **options: Any) -> None:
        if described := {"title", "abstract", "category", "keyword"} & {
            name for name, value in options.items() if value
        }:
            if options["id"]:
                names = " and ".join(f"--{name}" for name in sorted(described))
                raise CommandError(f"Give the id of a stored paper or {names}, not both.")
            classification = classify_from_options(argparse.Namespace(**options))
        elif options["id"]:
            classification = classify_stored(options["id"])
        else:
            raise CommandError("Give the arXiv id or DOI of a stored paper, or a --title.")
        for line in explanation_lines(classification):
            self.stdout.write(line)


def classify_stored(identifier: str) -> Classification:
    """Classify a stored paper from the same fields as an import does."""
    shown = repr(identifier[:MAX_SHOWN_CHARS])
    paper = Paper.objects.with_identifier(identifier).first()
    if paper is None:
        raise CommandError(f"No paper {shown} is stored. Give its --title and --abstract instead.")
    return classifier.classify(paper.title, paper.abstract, paper.categories, paper.keywords)


def classify_from_options(options: argparse.Namespace) -> Classification:
    for name in options.category:
        if not categories.canonical_id(name):
            raise CommandError(
                f"{name[:MAX_SHOWN_CHARS]!r} is not an arXiv category, such as cs.LG."
            )
    title, abstract = latex_to_text(options.title or ""), latex_to_text(options.abstract)
    return classifier.classify(title, abstract, options.category, options.keyword)


def explanation_lines(classification: Classification) -> Iterator[str]:
    """Yield the result, then each topic with evidence: first the chosen ones, then by weight."""
    if not classification.weights:
        yield "No topic: the rules find nothing in this paper."
        return
    topics = ", ".join(classification.chosen) or "none"
    yield f"Topics: {topics}. Threshold: {classification.threshold:.2f}."
    rejected = [slug for slug in classification.weights if slug not in classification.chosen]
    for slug in [*classification.chosen, *rejected]:
        reason = classification.reason_rejected(slug)
        yield ""
        yield f"{slug}  {classification.weights[slug]:.2f}  {f'no: {reason}' if reason else 'yes'}"
        for piece in classification.evidence:
            if piece.slug == slug:
                yield f"  {piece.weight:.2f}  {describe_evidence(piece)}"


def describe_evidence(evidence: TopicEvidence) -> str:
    text = f"{evidence.place}: {evidence.text}"
    if evidence.place in (classifier.CATEGORY, classifier.GENERAL_CATEGORY):
        return text
    repeats = f", {evidence.occurrences} times" if evidence.occurrences > 1 else ""
    return f"{text}{', common' if evidence.weak else ''}{repeats}"
