"""The base class of commands about one subscriber."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscribers.addresses import InvalidAddressError, normalise_address
from subscribers.models import Subscriber


class AddressCommand(BaseCommand):
    """A command whose argument is the address of a subscriber."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the subscriber's address")

    def parse_address(self, text: str) -> str:
        """Return the normalised address, or raise `CommandError`."""
        try:
            return normalise_address(text)
        except InvalidAddressError as error:
            raise CommandError(str(error)) from None

    def get_subscriber(self, text: str) -> Subscriber:
        """Return the subscriber with this address, or raise `CommandError`."""
        try:
            return Subscriber.objects.get(email=self.parse_address(text))
        except Subscriber.DoesNotExist:
            raise CommandError("There is no subscriber with that address.") from None
