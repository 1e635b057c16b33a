"""Print everything that is stored about a subscriber."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from subscribers.management.base import AddressCommand
from subscribers.privacy import personal_data


class Command(AddressCommand):
    help = "Print everything that is stored about a subscriber, as JSON."

    def handle(self, **options: Any) -> None:
        data = personal_data.export_subscriber(self.get_subscriber(options["email"]))
        self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
