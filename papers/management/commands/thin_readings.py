"""Keep fewer of the old readings."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from papers.models import TRENDING_WINDOW_DAYS
from papers.trends import readings


class Command(BaseCommand):
    help = (
        "Keep, of each week that is longer ago than some days, the newest reading of each paper "
        "and kind, and the very first; again changes nothing. For once a week, or when the "
        "database grows too large."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=parse_retention_days,
            default=90,
            help="leave the readings of so many days (default: 90)",
        )

    def handle(self, **options: Any) -> None:
        gone = readings.downsample(before=timezone.now() - timedelta(days=options["days"]))
        self.stdout.write(f"Let go of {gone} readings that are older than {options['days']} days.")


def parse_retention_days(value: str) -> int:
    """Never those that the score is made of."""
    if not re.fullmatch("[0-9]{1,4}", value) or int(value) <= 2 * TRENDING_WINDOW_DAYS:
        raise argparse.ArgumentTypeError(
            f"{value!r} is not a number of days of more than {2 * TRENDING_WINDOW_DAYS}"
        )
    return int(value)
