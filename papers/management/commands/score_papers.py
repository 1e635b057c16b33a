"""Write each paper's score and figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from papers.trends import ranking


class Command(BaseCommand):
    help = "Score the papers of the last days from what was observed until now, or another moment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at", metavar="ISO", help="a moment such as 2026-05-12T06:00 (UTC if it says no zone)"
        )

    def handle(self, **options: Any) -> None:
        at = parse_utc_datetime(options["at"]) if options["at"] else timezone.now()
        self.stdout.write(f"Scored {ranking.save_scores(at)} papers as of {at:%Y-%m-%d %H:%M} UTC.")


def parse_utc_datetime(text: str) -> datetime:
    """The moment, in UTC."""
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise CommandError(f"{text!r} is not a moment such as 2026-05-12T06:00.") from None
