"""Rebuild the search index."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from papers.search import engine


class Command(BaseCommand):
    help = (
        "Rebuild the search index of all papers. The index is normally kept up to date; this is "
        "for papers that were changed directly in the database, and for renamed topics. Safe to "
        "repeat, and while the service runs."
    )

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"Indexed {sum(engine.rebuild_index())} papers.")
