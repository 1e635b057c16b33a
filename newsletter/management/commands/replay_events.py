"""Process stored provider reports again."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from newsletter.events import parsing, processing, reports
from newsletter.models import ProviderEvent

ProcessingState = ProviderEvent.ProcessingState


class Command(BaseCommand):
    help = (
        "Process stored provider reports again, all of the last 30 days or some of them. Safe to "
        "repeat: what was applied before has the same result."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", metavar="ISO", help="only those received since then (UTC)")
        parser.add_argument(
            "--provider", metavar="X", help="only of this provider, such as postmark"
        )
        parser.add_argument("--id", type=int, metavar="N", help="only this report")

    def handle(self, **options: Any) -> None:
        report_ids = self.select_report_ids(options)
        counts = processing.replay_reports(
            track(
                report_ids,
                "Processing",
                console=Console(stderr=True),
                disable=not sys.stderr.isatty(),
            ),
            now=timezone.now(),
        )
        self.stdout.write(
            f"Replayed {counts['reports']} reports: {counts[ProcessingState.DONE]} events applied, "
            f"{counts[ProcessingState.WAITING]} waiting for their delivery, {counts[ProcessingState.UNMATCHED]} "
            f"unmatched, {counts[ProcessingState.DUPLICATE]} duplicates, {counts['failed']} failed."
        )
        if counts["failed"]:
            raise CommandError(
                "Some failed; the log says why. Run this again when the cause is fixed."
            )

    def select_report_ids(self, options: dict[str, Any]) -> list[int]:
        provider = options["provider"] or ""
        if provider and provider not in parsing.TRACKING_PROVIDERS:
            names = ", ".join(parsing.TRACKING_PROVIDERS)
            raise CommandError(f"Unknown provider {provider!r}. Known: {names}.")
        report_ids = reports.stored_report_ids(
            since=self.parse_since(options["since"]), provider=provider
        )
        if options["id"] is None:
            return report_ids
        if options["id"] not in report_ids:
            raise CommandError("There is no such report. Reports are stored for 30 days.")
        return [options["id"]]

    def parse_since(self, text: str | None) -> datetime | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise CommandError(
                f"--since must be a date and time such as 2026-05-12T06:00, not {text!r}."
            ) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
