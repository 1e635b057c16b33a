"""Import papers from a user's own file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress

from papers.catalogue import upsert
from papers.catalogue.upsert import UpsertResult
from papers.imports import InvalidImportFileError, ParsedFile, detection
from papers.ingest import pipeline
from papers.sources import Record

# Records per step of the progress bar. A smaller file is imported too fast to need one.
IMPORT_BATCH_SIZE = 1_000
MAX_REASONS_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Import papers from JSON Lines, CSV, BibTeX, or text with one title or abstract per line. "
        "Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="see docs/operators/importing-papers.md")
        parser.add_argument(
            "--format",
            choices=list(detection.PARSERS),
            default="",
            help="default: detected from the content and the file name",
        )

    def handle(self, **options: Any) -> None:
        path = Path(options["file"])
        try:
            parsed_file = detection.parse_file(
                pipeline.read_bytes(path), file_name=path.name, format=options["format"] or ""
            )
        except (pipeline.UnreadableResponseFileError, InvalidImportFileError) as error:
            raise CommandError(str(error)) from None
        result = UpsertResult(rejected=list(parsed_file.rejected))
        for batch_result in upsert_in_batches(parsed_file.records, now=timezone.now()):
            result += batch_result
        self.print_report(path.name, parsed_file, result)

    def print_report(self, file_name: str, parsed_file: ParsedFile, result: UpsertResult) -> None:
        """Print why entries were left out, then the counts; raise CommandError on a failure."""
        for reason in result.rejected[:MAX_REASONS_SHOWN]:
            self.stderr.write(reason)
        if (more := len(result.rejected) - MAX_REASONS_SHOWN) > 0:
            self.stderr.write(f"… and {more} more")
        entries = len(parsed_file.records) + len(parsed_file.rejected)
        papers = len({paper_id for _, paper_id in result.stored})
        self.stdout.write(
            f"{file_name}: {entries} entries, {papers} papers "
            f"({result.created} new, {result.updated} updated), {len(result.rejected)} left out"
        )
        if parsed_file.truncation_error:
            raise CommandError(
                f"{parsed_file.truncation_error} Everything before that was imported."
            )
        if not papers:
            raise CommandError("No paper was imported.")


def upsert_in_batches(records: Sequence[Record], *, now: datetime) -> Iterator[UpsertResult]:
    """Yield the result of each batch; show a progress bar for a long import in a terminal."""
    console = Console(stderr=True)
    is_silent = len(records) <= IMPORT_BATCH_SIZE or not console.is_terminal
    with Progress(console=console, transient=True, disable=is_silent) as progress:
        for start in progress.track(
            range(0, len(records), IMPORT_BATCH_SIZE), description="Importing papers"
        ):
            yield upsert.upsert_records(
                records[start : start + IMPORT_BATCH_SIZE], source="import", observed_at=now
            )
