"""Print an edition's balance."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import CommandParser

from newsletter.editions import receipt
from newsletter.management.base import EditionCommand


class Command(EditionCommand):
    help = "Print an edition's balance; exit 1 if it does not balance or has unknowns."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="as JSON, for programs")

    def handle(self, **options: Any) -> None:
        found = receipt.for_edition(self.get_edition(options))
        self.stdout.write(json.dumps(found.as_dict()) if options["json"] else str(found))
        if not found.is_clean:
            sys.exit(1)
