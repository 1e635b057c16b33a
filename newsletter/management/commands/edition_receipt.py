"""Print the receipt of an edition."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import CommandParser

from newsletter.editions import receipt
from newsletter.management.base import EditionCommand


class Command(EditionCommand):
    help = (
        "Print the receipt of an edition; exit 1 if it does not balance or has unknown deliveries."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        edition_receipt = receipt.for_edition(self.get_edition(options))
        self.stdout.write(
            json.dumps(edition_receipt.as_dict()) if options["json"] else str(edition_receipt)
        )
        if not edition_receipt.is_clean:
            sys.exit(1)
