"""Export subscribers as CSV."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscribers.models import Subscriber
from subscribers.transfer import exporting


class Command(BaseCommand):
    help = (
        "Export subscribers and their preferences as CSV, for another service or for "
        "import_subscribers. Cells that a spreadsheet would run as a formula get an apostrophe in "
        "front."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--status", choices=Subscriber.Status.values, default="", help="default: all"
        )
        parser.add_argument(
            "--output", type=Path, help="a file, created with mode 0600 (default: standard output)"
        )

    def handle(self, **options: Any) -> None:
        if path := options["output"]:
            try:
                count = self.write_file(path, options["status"])
            except OSError as error:
                raise CommandError(f"Could not write {path}: {error.strerror}.") from None
            self.stdout.write(f"Exported: {count} subscribers to {path}.")
        else:
            count = exporting.write_csv(self.stdout, status=options["status"])
            self.stderr.write(f"Exported: {count} subscribers.")

    def write_file(self, path: Path, status: str) -> int:
        """Replace the file as a whole, or leave it unchanged on any error; return the row count."""
        with NamedTemporaryFile(  # mode 0600
            "w", encoding="utf-8", newline="", dir=path.parent, delete=False
        ) as file:
            try:
                count = exporting.write_csv(file, status=status)
                file.flush()
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)
                raise
        return count
