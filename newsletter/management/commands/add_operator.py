"""Add an operator of the admin."""

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
        "Add an operator for /admin/. Ask for a password, or read it from standard input, and show a "
        "QR code for an authenticator app and recovery codes. They are shown once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="letters, digits and @/./+/-/_")
        parser.add_argument(
            "--new-device",
            action="store_true",
            help="replace the device and the recovery codes of an operator who lost them",
        )

    def handle(self, *, name: str, new_device: bool, **_: Any) -> None:
        operator = accounts.find_operator(name)
        if new_device:
            if operator is None:
                raise CommandError("There is no operator with that name.")
            self.show_credentials(accounts.renew_credentials(operator))
            self.stdout.write("The old device and recovery codes no longer work.")
            return
        if operator:
            self.stdout.write("An operator with that name exists already; nothing changed.")
            return
        try:
            credentials = accounts.add_operator(name, read_password())
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.show_credentials(credentials)
        self.stdout.write("Operator added. Log in at /admin/ with a code of the device.")

    def show_credentials(self, credentials: Credentials) -> None:
        self.stdout.write(credentials.as_qr_code())
        self.stdout.write(f"Without a camera: {credentials.otpauth_url}")
        self.stdout.write(
            f"Recovery codes, each works once: {' '.join(credentials.recovery_codes)}"
        )


def read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Password (again): ") != first:
        raise CommandError("The passwords do not match. Nothing changed.")
    return first
