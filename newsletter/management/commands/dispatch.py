"""Run one tick, as beat does every minute."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from newsletter import dispatch, tasks


class Command(BaseCommand):
    help = (
        "Run one tick: open due deliveries, recover abandoned batches, enqueue tasks for the rest."
    )

    def handle(self, **options: Any) -> None:
        tick = dispatch.run_tick(now=timezone.now())
        tasks.enqueue_for_tick(tick)
        self.stdout.write(f"Dispatched: {tick}.")
