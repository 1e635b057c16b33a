"""Compute and store the papers' scores."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from papers.trends import ranking


class Command(BaseCommand):
    help = "Score the recent papers from the readings up to now, or up to another time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at",
            metavar="ISO",
            help="a date and time such as 2026-05-12T06:00 (UTC unless it has a time zone)",
        )

    def handle(self, **options: Any) -> None:
        as_of = parse_utc_datetime(options["at"]) if options["at"] else timezone.now()
        paper_count = ranking.save_scores(as_of)
        self.stdout.write(f"Scored {paper_count} papers as of {as_of:%Y-%m-%d %H:%M} UTC.")


def parse_utc_datetime(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise CommandError(f"{text!r} is not a date and time such as 2026-05-12T06:00.") from None
