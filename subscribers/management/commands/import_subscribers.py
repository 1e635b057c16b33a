"""Import subscribers from the CSV file of another service, or of `export_subscribers`."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich import progress
from rich.console import Console

from subscribers.transfer import csv_reader, import_rows, importing


class Command(BaseCommand):
    help = (
        "Import subscribers from a CSV file: an export of Mailchimp, Substack, Buttondown, "
        "listmonk or export_subscribers, or a file whose header has some of the columns "
        f"{','.join(import_rows.COLUMNS)}. Skips known and suppressed addresses, and people who are "
        "not active in the file. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--confirmed",
            action="store_true",
            help="they have agreed already: do not send confirmation emails",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="report what an import would do, without writing anything",
        )

    def handle(self, **options: Any) -> None:
        self.invalid_count, self.dry_run = 0, options["dry_run"]
        self.skip_counts: Counter[str] = Counter()
        try:
            counts = self.import_file(options["file"], confirmed=options["confirmed"])
        except OSError as error:
            raise CommandError(f"Could not read {options['file']}: {error.strerror}.") from None
        except csv_reader.InvalidCsvError as error:
            raise CommandError(
                f"{error} Fix the file and run this again: nobody is added twice."
            ) from None
        self.stdout.write(self.format_result(counts))
        if self.invalid_count:
            raise CommandError("Fix the lines listed above and run this again.")

    def import_file(self, path: Path, *, confirmed: bool) -> Counter[str]:
        with path.open("rb") as file:
            encoding = csv_reader.detect_encoding(file)
        with progress.open(
            path,
            "rb",
            description="Importing",
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        ) as file:
            table = csv_reader.open_table(io.TextIOWrapper(file, encoding, newline=""))
            for line in [*table.describe(), f"Encoding: {encoding}."]:
                self.stdout.write(line)
            return importing.add_all(
                self.valid_rows(table),
                confirmed=confirmed,
                now=timezone.now(),
                dry_run=self.dry_run,
            )

    def valid_rows(self, table: csv_reader.Table) -> Iterator[import_rows.ImportRow]:
        """Yield the rows to add; report invalid rows by line number, and count skipped ones."""
        for line_number, result in table.lines:
            if isinstance(result, import_rows.InvalidRowError):
                self.invalid_count += 1
                self.stderr.write(f"Line {line_number}: {result}")
            elif isinstance(result, import_rows.ImportRow):
                yield result
            else:
                self.skip_counts[result] += 1

    def format_result(self, counts: Counter[str]) -> str:
        skipped = "".join(f", {count} {name}" for name, count in sorted(self.skip_counts.items()))
        undated = f", {counts['undated']} added without a date" if counts["undated"] else ""
        return (
            f"{'Dry run, nothing written' if self.dry_run else 'Imported'}: "
            f"{counts['added']} added, {counts['known']} already known, "
            f"{counts['suppressed']} suppressed, {counts['repeated']} repeated, "
            f"{self.invalid_count} invalid{skipped}{undated}."
        )
