"""Take in papers and readings."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress

from papers.ingest import pipeline, registry
from papers.ingest.pipeline import Taken
from papers.sources import Source

# A poll of fewer days is over before a bar would help.
LONG = 4
LONGEST_QUERY = 250


class Command(BaseCommand):
    help = "Take in the papers of the last days from a source, from a saved answer, or the sample."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", default="huggingface", help=", ".join(registry.SOURCES))
        parser.add_argument(
            "--days", type=days, default=3, help="how many days back, today included (1 to 30)"
        )
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--query", type=words, metavar="WORDS", help="papers of any time that a source finds"
        )
        instead.add_argument(
            "--from-file", type=Path, metavar="PATH", help="a saved answer instead of the network"
        )
        instead.add_argument("--sample", action="store_true", help="the bundled sample of papers")
        instead.add_argument(
            "--or-sample",
            action="store_true",
            help="the bundled sample if the source cannot be reached or has no papers",
        )

    def handle(self, **options: Any) -> None:
        if options["sample"]:
            self.use_sample()
            return
        try:
            source = registry.source_named(options["source"])
        except registry.UnknownSource as error:
            raise CommandError(str(error)) from None
        path = options["from_file"]
        if reason := "" if path else unanswerable(source, options["query"] or ""):
            raise CommandError(reason)
        parts = (
            saved(source, Path(path))
            if path
            else polled(source, options["days"], query=options["query"] or "")
        )
        self.take_in(source, parts, or_sample=options["or_sample"])

    def take_in(self, source: Source, parts: Iterable[Taken], *, or_sample: bool) -> None:
        """Say what came of it, also when the last part failed: what came before it is kept."""
        taken, failure, empty = Taken(source.name), "", False
        try:
            for part in parts:
                taken += part
                # An answer without a paper is none that somebody who asks by hand hopes for.
                empty = not taken.papers
        except pipeline.FAILURES as error:
            failure = str(error)
        if empty and not failure:
            failure = f"There are no papers in the answer of {source.title}."
        if or_sample and not taken.papers:
            self.use_sample(because=failure or f"{source.title} was asked for nothing.")
            return
        if taken.papers or taken.added.rejected or not failure:
            self.stdout.write(str(taken))
        if failure and or_sample:
            self.stderr.write(failure)
        elif failure:
            raise CommandError(failure)

    def use_sample(self, *, because: str = "") -> None:
        taken = pipeline.use_sample(now=timezone.now())
        if because:
            why = because.rstrip(".")
            self.stdout.write(f"{why}: using the bundled sample of {taken.papers} papers.")
        self.stdout.write(str(taken))


def days(value: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", value) or not 1 <= int(value) <= 30:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of days from 1 to 30")
    return int(value)


def words(value: str) -> str:
    text = " ".join(value.split())
    if not text or len(text) > LONGEST_QUERY:
        raise argparse.ArgumentTypeError(f"say with 1 to {LONGEST_QUERY} characters what to find")
    return text


def unanswerable(source: Source, query: str) -> str:
    """Why there is nothing to ask the source; empty if there is."""
    if query and source.name not in registry.SEARCHABLE:
        return f"{source.title} cannot be searched: {', '.join(sorted(registry.SEARCHABLE))} can."
    if source.name in registry.BY_CATEGORY and not settings.ARXIV_CATEGORIES:
        return f"{source.title} is asked by category: set ARXIV_CATEGORIES, such as cs.LG,cs.CL."
    return ""


def saved(source: Source, path: Path) -> Iterator[Taken]:
    yield pipeline.read_file(source, path, now=timezone.now())


def polled(source: Source, count: int, *, query: str) -> Iterator[Taken]:
    """Each day's part, with a bar for whoever is watching a long poll."""
    console = Console(stderr=True)
    quiet = count < LONG or not console.is_terminal
    with Progress(console=console, transient=True, disable=quiet) as progress:
        wanted = pipeline.wanted_of(source.name, days=count, now=timezone.now(), query=query)
        if query:
            parts = pipeline.poll(source, wanted, now=timezone.now())
        else:
            parts = pipeline.ask(source, wanted, clock=timezone.now)
        yield from progress.track(parts, total=count, description=f"Asking {source.title}")
