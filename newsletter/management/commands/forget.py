"""Apply the retention rules; the service does so by itself with every tick."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from newsletter.operations import retention


class Command(BaseCommand):
    help = "Delete what has been stored for its retention time (docs/operators/data-map.md)."

    def handle(self, **options: Any) -> None:
        counts = retention.apply_retention_rules(now=timezone.now())
        details = ", ".join(f"{count} {name}" for name, count in counts.items())
        self.stdout.write(f"Deleted: {details}.")
