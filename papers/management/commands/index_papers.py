"""Index all papers for the search again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from papers.search import engine


class Command(BaseCommand):
    help = (
        "Index all papers for the search again. It is kept up by itself; this is for papers that "
        "were written past the catalogue, and after topics were renamed."
    )

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"Indexed {sum(engine.rebuild_index())} papers.")
