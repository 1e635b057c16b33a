"""Bring in the readers of a list that another service exported, or this one."""

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

from subscribers.transfer import csv_reader, importing


class Command(BaseCommand):
    help = (
        "Add the readers of a CSV file: a list of Mailchimp, Substack, Buttondown, listmonk or "
        f"export_subscribers, or one whose first line has some of {','.join(importing.COLUMNS)}. "
        "Known and suppressed addresses, and who has not said yes there, are passed over."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--confirmed", action="store_true", help="they have said yes: do not ask each by email"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="write nothing, and report what would be"
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
                f"{error} Mend it and run this again: it adds nobody twice."
            ) from None
        self.stdout.write(self.format_result(counts))
        if self.invalid_count:
            raise CommandError("Mend the lines named above and run this again.")

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
            for sentence in [*table.describe(), f"Encoding: {encoding}."]:
                self.stdout.write(sentence)
            return importing.add_all(
                self.valid_rows(table),
                confirmed=confirmed,
                now=timezone.now(),
                dry_run=self.dry_run,
            )

    def valid_rows(self, table: csv_reader.Table) -> Iterator[importing.ImportRow]:
        """The rows that can be added; the others are named by their line, without the address."""
        for line, found in table.lines:
            if isinstance(found, importing.InvalidRowError):
                self.invalid_count += 1
                self.stderr.write(f"Line {line}: {found}")
            elif isinstance(found, importing.ImportRow):
                yield found
            else:
                self.skip_counts[found] += 1

    def format_result(self, counts: Counter[str]) -> str:
        reasons = "".join(f", {n} {name}" for name, n in sorted(self.skip_counts.items()))
        undated = f", {counts['undated']} of the added without a date" if counts["undated"] else ""
        return (
            f"{'Dry run, nothing is written' if self.dry_run else 'Imported'}: "
            f"{counts['added']} added, {counts['known']} known already, "
            f"{counts['suppressed']} suppressed, {counts['repeated']} repeated, "
            f"{self.invalid_count} not understood{reasons}{undated}."
        )
