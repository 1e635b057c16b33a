"""Work through providers' stored reports again."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from newsletter.events import parsing, processing
from newsletter.models import ProviderEvent

ProcessingState = ProviderEvent.ProcessingState


class Command(BaseCommand):
    help = (
        "Work through providers' stored reports again, those of the last month or some of them. "
        "What was noted before ends the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", metavar="ISO", help="only those received since then, in UTC")
        parser.add_argument("--provider", metavar="X", help="only this one's, such as postmark")
        parser.add_argument("--id", type=int, metavar="N", help="only this one")

    def handle(self, **options: Any) -> None:
        chosen = self.select_report_ids(options)
        counts = processing.replay_reports(
            track(
                chosen,
                "Working through",
                console=Console(stderr=True),
                disable=not sys.stderr.isatty(),
            ),
            now=timezone.now(),
        )
        self.stdout.write(
            f"Replayed {counts['reports']} reports: {counts[ProcessingState.DONE]} events noted, "
            f"{counts[ProcessingState.WAITING]} waiting for their delivery, {counts[ProcessingState.UNMATCHED]} about "
            f"none of ours, {counts[ProcessingState.DUPLICATE]} told before, {counts['failed']} failed."
        )
        if counts["failed"]:
            raise CommandError("Some failed; the log says why. Run this again when that is mended.")

    def select_report_ids(self, options: dict[str, Any]) -> list[int]:
        provider = options["provider"] or ""
        if provider and provider not in parsing.TRACKING_PROVIDERS:
            names = ", ".join(parsing.TRACKING_PROVIDERS)
            raise CommandError(f"There is no provider {provider!r}: they are {names}.")
        found = processing.stored_report_ids(
            since=self.parse_since(options["since"]), provider=provider
        )
        if options["id"] is None:
            return found
        if options["id"] not in found:
            raise CommandError("There is no such report: they are kept for 30 days.")
        return [options["id"]]

    def parse_since(self, text: str | None) -> datetime | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise CommandError(
                f"--since must be a moment such as 2026-05-12T06:00, not {text!r}."
            ) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
