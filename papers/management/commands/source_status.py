"""Show the status of the sources."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from papers.ingest import schedule
from papers.ingest.schedule import SourceHealth


class Command(BaseCommand):
    help = (
        "Show for each enabled source the last poll, the last answer, its number of papers, and "
        "the last error. Exit with status 1 if a source has not answered for three poll intervals."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        sources = schedule.list_source_health(now=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps([source.as_data() for source in sources], indent=2))
        else:
            for source in sources:
                self.stdout.write(format_health(source))
        if late := [source.name for source in sources if source.is_late]:
            raise CommandError(
                f"{', '.join(late)}: no answer for too long. If no error is shown, check that the "
                "worker and beat are running."
            )


def format_health(health: SourceHealth) -> str:
    if health.answered_at is None:
        answer = "has not answered yet"
    else:
        answer = f"answered {format_age(health.age or 0)} ago with {health.papers} papers"
    failure = f"; failed {health.failures} times since: {health.error}" if health.error else ""
    return f"{health.name}: {answer}{failure}"


def format_age(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
