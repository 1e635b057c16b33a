"""Forget what is kept for a time only; the service does it by itself with every tick."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from newsletter.operations import retention


class Command(BaseCommand):
    help = "Forget whatever has been kept for as long as docs/data-map.md says, and no longer."

    def handle(self, **options: Any) -> None:
        counts = retention.apply_retention_rules(now=timezone.now())
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        self.stdout.write(f"Forgotten: {told}.")
