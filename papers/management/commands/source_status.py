"""How the sources are doing."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from papers.ingest import schedule
from papers.ingest.schedule import SourceHealth


class Command(BaseCommand):
    help = (
        "Say of each source that is used when it was asked, when it last answered, with how many "
        "papers, and what went wrong; exit 1 if one has not answered for three times as long as "
        "it should."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for a program")

    def handle(self, **options: Any) -> None:
        standings = schedule.list_source_health(now=timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps([each.as_data() for each in standings], indent=2))
        else:
            for each in standings:
                self.stdout.write(format_health(each))
        if late := [each.name for each in standings if each.is_late]:
            raise CommandError(
                f"{', '.join(late)}: no answer for too long. If nothing is written beside it, see "
                "whether the worker and beat are running."
            )


def format_health(health: SourceHealth) -> str:
    if health.answered_at is None:
        answer = "has not answered yet"
    else:
        answer = f"answered {format_age(health.age or 0)} ago with {health.papers} papers"
    trouble = f"; failed {health.failures} times since: {health.error}" if health.error else ""
    return f"{health.name}: {answer}{trouble}"


def format_age(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
