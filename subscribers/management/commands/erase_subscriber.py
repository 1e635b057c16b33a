"""Forget one reader."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from subscribers.management.base import AddressCommand
from subscribers.privacy import personal_data


class Command(AddressCommand):
    help = "Forget a subscriber, and never write to the address again."

    def handle(self, **options: Any) -> None:
        known = personal_data.erase_subscriber(self.parse_address(options["email"]), timezone.now())
        found = "Erased" if known else "Nothing was kept"
        self.stdout.write(f"{found}; only a keyed hash remains, so that no list brings them back.")
