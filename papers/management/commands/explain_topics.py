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

# An arXiv id, an address or a DOI is shorter.
MAX_SHOWN_CHARS = 80


class Command(BaseCommand):
    help = (
        "Show what the topic rules find in a paper, what it weighs, and which topics that gives. "
        "The paper is a stored one, or made up with --title, --abstract, --category, --keyword."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "id", nargs="?", metavar="ID", help="arXiv id, DOI or address of a stored paper"
        )
        parser.add_argument("--title", help="of a paper that need not be stored")
        parser.add_argument("--abstract", default="")
        parser.add_argument(
            "--category",
            action="append",
            default=[],
            metavar="cs.LG",
            help="may come several times",
        )
        parser.add_argument("--keyword", action="append", default=[], help="may come several times")

    def handle(self, **options: Any) -> None:
        if made_up := {"title", "abstract", "category", "keyword"} & {
            name for name, value in options.items() if value
        }:
            if options["id"]:
                names = " and ".join(f"--{name}" for name in sorted(made_up))
                raise CommandError(f"Give the id of a stored paper or {names}, not both.")
            found = classify_from_options(argparse.Namespace(**options))
        elif options["id"]:
            found = classify_stored(options["id"])
        else:
            raise CommandError("Say which paper: the arXiv id or DOI of a stored one, or --title.")
        for line in explanation_lines(found):
            self.stdout.write(line)


def classify_stored(identifier: str) -> Classification:
    """As the catalogue did when it filed the paper."""
    shown = repr(identifier[:MAX_SHOWN_CHARS])
    paper = Paper.objects.with_identifier(identifier).first()
    if paper is None:
        raise CommandError(f"No paper {shown} is stored: give its --title and --abstract instead.")
    return classifier.classify(paper.title, paper.abstract, paper.categories, paper.keywords)


def classify_from_options(options: argparse.Namespace) -> Classification:
    for each in options.category:
        if not categories.canonical_id(each):
            raise CommandError(f"{each[:MAX_SHOWN_CHARS]!r} is no category of arXiv such as cs.LG.")
    title, abstract = latex_to_text(options.title or ""), latex_to_text(options.abstract)
    return classifier.classify(title, abstract, options.category, options.keyword)


def explanation_lines(classification: Classification) -> Iterator[str]:
    """The result, then each topic that anything speaks for: the chosen ones, then by weight."""
    if not classification.weights:
        yield "No topic: nothing of the rules is in this paper."
        return
    yield f"Topics: {', '.join(classification.chosen) or 'none'}. Enough here: {classification.threshold:.2f}."
    order = sorted(classification.weights, key=lambda slug: (-classification.weights[slug], slug))
    for slug in [
        *classification.chosen,
        *(each for each in order if each not in classification.chosen),
    ]:
        verdict = f"no: {lacking}" if (lacking := classification.reason_rejected(slug)) else "yes"
        yield ""
        yield f"{slug}  {classification.weights[slug]:.2f}  {verdict}"
        for piece in classification.evidence:
            if piece.slug == slug:
                yield f"  {piece.weight:.2f}  {describe_evidence(piece)}"


def describe_evidence(evidence: TopicEvidence) -> str:
    text = f"{evidence.place}: {evidence.text}"
    if evidence.place in (classifier.CATEGORY, classifier.GENERAL_CATEGORY):
        return text
    often = f", {evidence.occurrences} times" if evidence.occurrences > 1 else ""
    return f"{text}{', common' if evidence.weak else ''}{often}"
