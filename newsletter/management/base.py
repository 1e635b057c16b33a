"""What the commands about one edition share: its date."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from newsletter.models import Edition

# When arXiv began.
MIN_EDITION_YEAR = 1991


def parse_edition_date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date; write it as YYYY-MM-DD."
        ) from None
    if found.year < MIN_EDITION_YEAR:
        raise argparse.ArgumentTypeError(f"{found} is before there were papers to send.")
    return found


class EditionCommand(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--date",
            type=parse_edition_date,
            metavar="YYYY-MM-DD",
            help="the edition's date (default: today)",
        )

    def get_edition(self, options: dict[str, Any]) -> Edition:
        wanted = options["date"] or timezone.now().date()
        try:
            return Edition.objects.get(date=wanted)
        except Edition.DoesNotExist:
            raise CommandError(
                f"There is no edition of {wanted}. "
                f"Make it with: manage.py publish_edition --date {wanted}"
            ) from None
