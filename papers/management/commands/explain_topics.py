"""Show which topics a paper has, and why."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from papers.models import Paper
from papers.text.latex import readable
from papers.topics import categories, classifier
from papers.topics.classifier import Piece, Weighing

# An arXiv id, an address or a DOI is shorter.
LONGEST_SHOWN = 80


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
            found = weigh_made_up(argparse.Namespace(**options))
        elif options["id"]:
            found = weigh_stored(options["id"])
        else:
            raise CommandError("Say which paper: the arXiv id or DOI of a stored one, or --title.")
        for line in explanation(found):
            self.stdout.write(line)


def weigh_stored(written: str) -> Weighing:
    """As the catalogue did when it filed the paper."""
    shown = repr(written[:LONGEST_SHOWN])
    paper = Paper.objects.known_as(written).first()
    if paper is None:
        raise CommandError(f"No paper {shown} is stored: give its --title and --abstract instead.")
    return classifier.weigh(paper.title, paper.abstract, paper.categories, paper.keywords)


def weigh_made_up(paper: argparse.Namespace) -> Weighing:
    for each in paper.category:
        if not categories.canonical(each):
            raise CommandError(f"{each[:LONGEST_SHOWN]!r} is no category of arXiv such as cs.LG.")
    title, abstract = readable(paper.title or ""), readable(paper.abstract)
    return classifier.weigh(title, abstract, paper.category, paper.keyword)


def explanation(found: Weighing) -> Iterator[str]:
    """The result, then each topic that anything speaks for: the chosen ones, then by weight."""
    if not found.weights:
        yield "No topic: nothing of the rules is in this paper."
        return
    yield f"Topics: {', '.join(found.chosen) or 'none'}. Enough here: {found.enough:.2f}."
    order = sorted(found.weights, key=lambda slug: (-found.weights[slug], slug))
    for slug in [*found.chosen, *(each for each in order if each not in found.chosen)]:
        verdict = f"no: {lacking}" if (lacking := found.lacking(slug)) else "yes"
        yield ""
        yield f"{slug}  {found.weights[slug]:.2f}  {verdict}"
        for piece in found.pieces:
            if piece.slug == slug:
                yield f"  {piece.weight:.2f}  {described(piece)}"


def described(piece: Piece) -> str:
    text = f"{piece.place}: {piece.text}"
    if piece.place in (classifier.CATEGORY, classifier.GENERAL):
        return text
    often = f", {piece.times} times" if piece.times > 1 else ""
    return f"{text}{', common' if piece.weak else ''}{often}"
