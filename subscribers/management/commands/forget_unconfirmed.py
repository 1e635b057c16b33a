"""Forget who never confirmed; the service does it by itself with every tick."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from subscribers import unconfirmed


class Command(BaseCommand):
    help = "Forget who asked to join a week ago or longer and never confirmed."

    def handle(self, **options: Any) -> None:
        forgotten = unconfirmed.forget(now=timezone.now())
        self.stdout.write(f"Forgotten: {forgotten} who never confirmed.")
