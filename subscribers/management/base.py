"""What the commands about one subscriber share: finding them by address."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscribers.addresses import InvalidAddressError, normalise_address
from subscribers.models import Subscriber


class AddressCommand(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the subscriber's address")

    def parse_address(self, text: str) -> str:
        try:
            return normalise_address(text)
        except InvalidAddressError as error:
            raise CommandError(str(error)) from None

    def get_subscriber(self, text: str) -> Subscriber:
        try:
            return Subscriber.objects.get(email=self.parse_address(text))
        except Subscriber.DoesNotExist:
            raise CommandError("There is no subscriber with that address.") from None
