"""Base class of the commands that take the date of an edition."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from newsletter.models import Edition

# The year of the first arXiv paper.
MIN_EDITION_YEAR = 1991


def parse_edition_date(text: str) -> date:
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date; write it as YYYY-MM-DD."
        ) from None
    if parsed.year < MIN_EDITION_YEAR:
        raise argparse.ArgumentTypeError(f"{parsed} is before the first paper.")
    return parsed


class EditionCommand(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--date",
            type=parse_edition_date,
            metavar="YYYY-MM-DD",
            help="date of the edition (default: today)",
        )

    def get_edition(self, options: dict[str, Any]) -> Edition:
        day = options["date"] or timezone.now().date()
        try:
            return Edition.objects.get(date=day)
        except Edition.DoesNotExist:
            raise CommandError(
                f"There is no edition of {day}. "
                f"Publish it with: manage.py publish_edition --date {day}"
            ) from None
