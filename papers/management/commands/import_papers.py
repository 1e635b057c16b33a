"""Take in papers from a file of somebody's own."""

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

# Records between two steps of the bar; fewer are in before a bar would help.
IMPORT_BATCH_SIZE = 1_000
# Reasons that are shown one by one.
MAX_REASONS_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Take in papers from JSON Lines, CSV, BibTeX, or text with a title and an abstract a line."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="see docs/importing.md")
        parser.add_argument(
            "--format",
            choices=list(detection.PARSERS),
            default="",
            help="by default the content and the file's ending tell",
        )

    def handle(self, **options: Any) -> None:
        path = Path(options["file"])
        try:
            brought = detection.parse_file(
                pipeline.read_bytes(path), file_name=path.name, format=options["format"] or ""
            )
        except (pipeline.UnreadableResponseFileError, InvalidImportFileError) as error:
            raise CommandError(str(error)) from None
        added = UpsertResult(rejected=list(brought.rejected))
        for part in upsert_in_batches(brought.records, now=timezone.now()):
            added += part
        self.print_report(path.name, brought, added)

    def print_report(self, file_name: str, parsed_file: ParsedFile, result: UpsertResult) -> None:
        """Why entries were left out, and then what became of the others."""
        for reason in result.rejected[:MAX_REASONS_SHOWN]:
            self.stderr.write(reason)
        if (more := len(result.rejected) - MAX_REASONS_SHOWN) > 0:
            self.stderr.write(f"… and {more} more")
        papers = len({paper_id for _, paper_id in result.stored})
        self.stdout.write(
            f"{file_name}: {len(parsed_file.records) + len(parsed_file.rejected)} entries, {papers} papers "
            f"({result.created} new, {result.updated} updated), {len(result.rejected)} left out"
        )
        if parsed_file.truncation_error:
            raise CommandError(f"{parsed_file.truncation_error} What comes before is taken in.")
        if not papers:
            raise CommandError("No paper was taken in.")


def upsert_in_batches(records: Sequence[Record], *, now: datetime) -> Iterator[UpsertResult]:
    """Each part's result, with a bar for whoever is watching a long import."""
    console = Console(stderr=True)
    quiet = len(records) <= IMPORT_BATCH_SIZE or not console.is_terminal
    with Progress(console=console, transient=True, disable=quiet) as progress:
        for start in progress.track(
            range(0, len(records), IMPORT_BATCH_SIZE), description="Taking in papers"
        ):
            yield upsert.upsert_records(
                records[start : start + IMPORT_BATCH_SIZE], source="import", observed_at=now
            )
