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
from papers.ingest.pipeline import IngestResult
from papers.sources import Source

# A poll of fewer days is over before a bar would help.
MIN_DAYS_FOR_PROGRESS_BAR = 4
MAX_SOURCE_QUERY_CHARS = 250


class Command(BaseCommand):
    help = "Take in the papers of the last days from a source, from a saved answer, or the sample."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", default="huggingface", help=", ".join(registry.SOURCES))
        parser.add_argument(
            "--days",
            type=parse_days,
            default=3,
            help="how many days back, today included (1 to 30)",
        )
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--query",
            type=parse_query,
            metavar="WORDS",
            help="papers of any time that a source finds",
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
            self.load_sample()
            return
        try:
            source = registry.get_source(options["source"])
        except registry.UnknownSourceError as error:
            raise CommandError(str(error)) from None
        path = options["from_file"]
        if reason := "" if path else unsupported_reason(source, options["query"] or ""):
            raise CommandError(reason)
        parts = (
            ingest_from_file(source, Path(path))
            if path
            else poll_with_progress(source, options["days"], query=options["query"] or "")
        )
        self.ingest_and_report(source, parts, or_sample=options["or_sample"])

    def ingest_and_report(
        self, source: Source, results: Iterable[IngestResult], *, or_sample: bool
    ) -> None:
        """Say what came of it, also when the last part failed: what came before it is kept."""
        taken, failure, empty = IngestResult(source.name), "", False
        try:
            for part in results:
                taken += part
                # An answer without a paper is none that somebody who asks by hand hopes for.
                empty = not taken.paper_count
        except pipeline.EXPECTED_ERRORS as error:
            failure = str(error)
        if empty and not failure:
            failure = f"There are no papers in the answer of {source.title}."
        if or_sample and not taken.paper_count:
            self.load_sample(reason=failure or f"{source.title} was asked for nothing.")
            return
        if taken.paper_count or taken.upserts.rejected or not failure:
            self.stdout.write(str(taken))
        if failure and or_sample:
            self.stderr.write(failure)
        elif failure:
            raise CommandError(failure)

    def load_sample(self, *, reason: str = "") -> None:
        taken = pipeline.load_sample(now=timezone.now())
        if reason:
            why = reason.rstrip(".")
            self.stdout.write(f"{why}: using the bundled sample of {taken.paper_count} papers.")
        self.stdout.write(str(taken))


def parse_days(value: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", value) or not 1 <= int(value) <= 30:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of days from 1 to 30")
    return int(value)


def parse_query(value: str) -> str:
    text = " ".join(value.split())
    if not text or len(text) > MAX_SOURCE_QUERY_CHARS:
        raise argparse.ArgumentTypeError(
            f"say with 1 to {MAX_SOURCE_QUERY_CHARS} characters what to find"
        )
    return text


def unsupported_reason(source: Source, query: str) -> str:
    """Why there is nothing to ask the source; empty if there is."""
    if query and source.name not in registry.SEARCHABLE:
        return f"{source.title} cannot be searched: {', '.join(sorted(registry.SEARCHABLE))} can."
    if source.name in registry.CATEGORY_SOURCES and not settings.ARXIV_CATEGORIES:
        return f"{source.title} is asked by category: set ARXIV_CATEGORIES, such as cs.LG,cs.CL."
    return ""


def ingest_from_file(source: Source, path: Path) -> Iterator[IngestResult]:
    yield pipeline.ingest_file(source, path, now=timezone.now())


def poll_with_progress(source: Source, day_count: int, *, query: str) -> Iterator[IngestResult]:
    """Each day's part, with a bar for whoever is watching a long poll."""
    console = Console(stderr=True)
    quiet = day_count < MIN_DAYS_FOR_PROGRESS_BAR or not console.is_terminal
    with Progress(console=console, transient=True, disable=quiet) as progress:
        wanted = pipeline.build_fetch_request(
            source.name, days=day_count, now=timezone.now(), query=query
        )
        if query:
            parts = pipeline.fetch_and_store(source, wanted, now=timezone.now())
        else:
            parts = pipeline.poll_and_record(source, wanted, clock=timezone.now)
        yield from progress.track(parts, total=day_count, description=f"Asking {source.title}")
