"""Thin out old readings."""

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
        "Thin out old readings: keep the first and each week's latest per paper and metric. "
        "Safe to repeat. Run it once a week, or when the database grows too large."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=parse_retention_days,
            default=90,
            help="keep all readings of this many days (default: 90)",
        )

    def handle(self, **options: Any) -> None:
        days = options["days"]
        deleted_count = readings.downsample(before=timezone.now() - timedelta(days=days))
        self.stdout.write(f"Deleted {deleted_count} readings older than {days} days.")


def parse_retention_days(value: str) -> int:
    """Parse a number of days, and refuse one that includes readings the scores need."""
    if not re.fullmatch("[0-9]{1,4}", value) or int(value) <= 2 * TRENDING_WINDOW_DAYS:
        raise argparse.ArgumentTypeError(
            f"{value!r} is not a number of days over {2 * TRENDING_WINDOW_DAYS}"
        )
    return int(value)
