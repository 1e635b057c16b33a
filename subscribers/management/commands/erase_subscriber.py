"""Erase a subscriber."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from subscribers.management.base import AddressCommand
from subscribers.privacy import personal_data


class Command(AddressCommand):
    help = "Delete everything about a subscriber, and suppress the address. Safe to repeat."

    def handle(self, **options: Any) -> None:
        email = self.parse_address(options["email"])
        if personal_data.erase_subscriber(email, timezone.now()):
            result = "Erased."
        else:
            result = "There was no subscriber with that address."
        self.stdout.write(
            f"{result} A keyed hash remains, so that no import adds the address again."
        )
