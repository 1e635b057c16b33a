"""Forget what is kept for a time only: the sweep does it too, this does it now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from newsletter import reports
from subscribers import bounces, farewells


class Command(BaseCommand):
    help = (
        "Forget providers' reports after 30 days, soft bounces after 180, and the words of who "
        "left after a year."
    )

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        forgotten = 0
        while page := reports.forget(now=now):
            forgotten += page
        self.stdout.write(
            f"Forgotten: {forgotten} reports, {bounces.forget(now=now)} soft bounces, "
            f"{farewells.forget(now=now)} farewells."
        )
