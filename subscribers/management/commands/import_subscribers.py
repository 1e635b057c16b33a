"""Add the readers of a CSV file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich import progress
from rich.console import Console

from subscribers import lists


class Command(BaseCommand):
    help = (
        f"Add the readers of a CSV file whose first line is {','.join(lists.COLUMNS)} (only the "
        "first is needed). Known and suppressed addresses are passed over."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--confirmed", action="store_true", help="they have said yes: do not ask each by email"
        )

    def handle(self, **options: Any) -> None:
        self.bad = 0
        try:
            with progress.open(
                options["file"],
                "r",
                encoding="utf-8-sig",
                newline="",
                description="Importing",
                console=Console(stderr=True),
                disable=not sys.stderr.isatty(),
            ) as file:
                counts = lists.add_all(
                    self.good_rows(file), confirmed=options["confirmed"], now=timezone.now()
                )
        except OSError as error:
            raise CommandError(f"Could not read {options['file']}: {error.strerror}.") from None
        except lists.BadFile as error:
            raise CommandError(
                f"{error} Mend it and run this again: it adds nobody twice."
            ) from None
        self.stdout.write(
            f"Imported: {counts['added']} added, {counts['known']} known already, "
            f"{counts['suppressed']} suppressed, {self.bad} not understood."
        )
        if self.bad:
            raise CommandError("Mend the lines named above and run this again.")

    def good_rows(self, file: TextIO) -> Iterator[lists.Row]:
        """The rows that can be added; the others are named by their line, without the address."""
        for line, row in lists.read(file):
            if isinstance(row, lists.BadRow):
                self.bad += 1
                self.stderr.write(f"Line {line}: {row}")
            else:
                yield row
