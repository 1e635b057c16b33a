"""Fetch papers and readings from a source."""

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

# Fewer days are fetched before a progress bar would help.
MIN_DAYS_FOR_PROGRESS_BAR = 4
MAX_SOURCE_QUERY_CHARS = 250


class Command(BaseCommand):
    help = (
        "Fetch the papers of the last days from a source, or import a saved response or the "
        "bundled sample. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--source", default="huggingface", help=", ".join(registry.SOURCES))
        parser.add_argument(
            "--days",
            type=parse_days,
            default=3,
            help="number of days to fetch, including today (1 to 30)",
        )
        alternatives = parser.add_mutually_exclusive_group()
        alternatives.add_argument(
            "--query",
            type=parse_query,
            metavar="WORDS",
            help="search the source for papers of any date instead",
        )
        alternatives.add_argument(
            "--from-file", type=Path, metavar="PATH", help="import a saved response instead"
        )
        alternatives.add_argument(
            "--sample", action="store_true", help="import the bundled sample instead"
        )
        alternatives.add_argument(
            "--or-sample",
            action="store_true",
            help="import the bundled sample if the source is unreachable or has no papers",
        )

    def handle(self, **options: Any) -> None:
        if options["sample"]:
            self.load_sample()
            return
        try:
            source = registry.get_source(options["source"])
        except registry.UnknownSourceError as error:
            raise CommandError(str(error)) from None
        path, query = options["from_file"], options["query"] or ""
        if reason := "" if path else unsupported_reason(source, query):
            raise CommandError(reason)
        results = (
            ingest_from_file(source, Path(path))
            if path
            else poll_with_progress(source, options["days"], query=query)
        )
        self.ingest_and_report(source, results, or_sample=options["or_sample"])

    def ingest_and_report(
        self, source: Source, results: Iterable[IngestResult], *, or_sample: bool
    ) -> None:
        """Consume the results and print their sum, also after a failure: what was stored stays.

        Raise `CommandError` if the source failed or had no papers, unless the sample replaces it.
        """
        total, failure, is_empty = IngestResult(source.name), "", False
        try:
            for part in results:
                total += part
                # Set only after a response: a source with nothing to request has not failed.
                is_empty = not total.paper_count
        except pipeline.EXPECTED_ERRORS as error:
            failure = str(error)
        if is_empty and not failure:
            failure = f"There are no papers in the response of {source.title}."
        if or_sample and not total.paper_count:
            self.load_sample(reason=failure or f"There was nothing to request from {source.title}.")
            return
        if total.paper_count or total.upserts.rejected or not failure:
            self.stdout.write(str(total))
        if failure and or_sample:
            self.stderr.write(failure)
        elif failure:
            raise CommandError(failure)

    def load_sample(self, *, reason: str = "") -> None:
        result = pipeline.load_sample(now=timezone.now())
        if reason:
            self.stdout.write(
                f"{reason.rstrip('.')}: using the bundled sample of {result.paper_count} papers."
            )
        self.stdout.write(str(result))


def parse_days(value: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", value) or not 1 <= int(value) <= 30:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of days from 1 to 30")
    return int(value)


def parse_query(value: str) -> str:
    text = " ".join(value.split())
    if not text or len(text) > MAX_SOURCE_QUERY_CHARS:
        raise argparse.ArgumentTypeError(
            f"enter a query of 1 to {MAX_SOURCE_QUERY_CHARS} characters"
        )
    return text


def unsupported_reason(source: Source, query: str) -> str:
    """Return why the source cannot answer the request; empty if it can."""
    if query and source.name not in registry.SEARCHABLE:
        searchable = ", ".join(sorted(registry.SEARCHABLE))
        return f"{source.title} cannot be searched. Sources with a search: {searchable}."
    if source.name in registry.CATEGORY_SOURCES and not settings.ARXIV_CATEGORIES:
        return f"{source.title} is polled by category. Set ARXIV_CATEGORIES, such as cs.LG,cs.CL."
    return ""


def ingest_from_file(source: Source, path: Path) -> Iterator[IngestResult]:
    yield pipeline.ingest_file(source, path, now=timezone.now())


def poll_with_progress(source: Source, day_count: int, *, query: str) -> Iterator[IngestResult]:
    """Yield the result of each response, with a progress bar for a long poll on a terminal."""
    console = Console(stderr=True)
    is_quiet = day_count < MIN_DAYS_FOR_PROGRESS_BAR or not console.is_terminal
    with Progress(console=console, transient=True, disable=is_quiet) as progress:
        request = pipeline.build_fetch_request(
            source.name, days=day_count, now=timezone.now(), query=query
        )
        # A search says nothing about what is new, so it must not count as a poll in the status.
        if query:
            results = pipeline.fetch_and_store(source, request, now=timezone.now())
        else:
            results = pipeline.poll_and_record(source, request, clock=timezone.now)
        yield from progress.track(
            results, total=day_count, description=f"Fetching from {source.title}"
        )
