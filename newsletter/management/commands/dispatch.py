"""One tick: what beat calls each minute, for cron or a person."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from newsletter import dispatch, tasks


class Command(BaseCommand):
    help = "Do what has become due: open deliveries, settle dead batches, ring for the rest."

    def handle(self, **options: Any) -> None:
        tick = dispatch.run_tick(now=timezone.now())
        tasks.enqueue_for_tick(tick)
        self.stdout.write(f"Dispatched: {tick}.")
