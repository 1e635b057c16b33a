"""Let somebody sit at the operators' desk."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.operations import accounts
from newsletter.operations.accounts import Credentials


class Command(BaseCommand):
    help = (
        "Add an operator for /admin/: asks for a password (or reads it from standard input) and "
        "shows a QR code for an app that makes one-time codes, and recovery codes. All of that is "
        "shown once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="letters, digits and @/./+/-/_")
        parser.add_argument(
            "--new-device",
            action="store_true",
            help="for an operator who has lost the device: a new one, and new recovery codes",
        )

    def handle(self, *, name: str, new_device: bool, **_: Any) -> None:
        operator = accounts.find_operator(name)
        if new_device:
            if operator is None:
                raise CommandError("There is no operator of that name.")
            self.show_credentials(accounts.renew_credentials(operator))
            self.stdout.write("The old device and the old recovery codes work no more.")
            return
        if operator:
            self.stdout.write("There is an operator of that name already: nothing was changed.")
            return
        try:
            access = accounts.add_operator(name, read_password())
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.show_credentials(access)
        self.stdout.write("The operator was added: log in at /admin/ with a code of the device.")

    def show_credentials(self, credentials: Credentials) -> None:
        self.stdout.write(credentials.as_qr_code())
        self.stdout.write(f"Without a camera: {credentials.otpauth_url}")
        self.stdout.write(f"Recovery codes, each good once: {' '.join(credentials.recovery_codes)}")


def read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != first:
        raise CommandError("They were not the same. Nothing was changed.")
    return first
