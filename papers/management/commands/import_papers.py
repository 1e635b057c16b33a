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
from papers.catalogue.upsert import Added
from papers.imports import Brought, Unreadable, detection
from papers.ingest import pipeline
from papers.sources import Record

# Records between two steps of the bar; fewer are in before a bar would help.
STEP = 1_000
# Reasons that are shown one by one.
MOST_REASONS = 20


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
            brought = detection.read(
                pipeline.contents(path), name=path.name, format=options["format"] or ""
            )
        except (pipeline.UnreadableFile, Unreadable) as error:
            raise CommandError(str(error)) from None
        added = Added(rejected=list(brought.rejected))
        for part in added_in_parts(brought.records, now=timezone.now()):
            added += part
        self.report(path.name, brought, added)

    def report(self, name: str, brought: Brought, added: Added) -> None:
        """Why entries were left out, and then what became of the others."""
        for reason in added.rejected[:MOST_REASONS]:
            self.stderr.write(reason)
        if (more := len(added.rejected) - MOST_REASONS) > 0:
            self.stderr.write(f"… and {more} more")
        papers = len({paper_id for _, paper_id in added.taken})
        self.stdout.write(
            f"{name}: {len(brought.records) + len(brought.rejected)} entries, {papers} papers "
            f"({added.created} new, {added.updated} updated), {len(added.rejected)} left out"
        )
        if brought.cut_off:
            raise CommandError(f"{brought.cut_off} What comes before is taken in.")
        if not papers:
            raise CommandError("No paper was taken in.")


def added_in_parts(records: Sequence[Record], *, now: datetime) -> Iterator[Added]:
    """Each part's result, with a bar for whoever is watching a long import."""
    console = Console(stderr=True)
    quiet = len(records) <= STEP or not console.is_terminal
    with Progress(console=console, transient=True, disable=quiet) as progress:
        for start in progress.track(range(0, len(records), STEP), description="Taking in papers"):
            yield upsert.add(records[start : start + STEP], source="import", told_at=now)
