"""Prepare a migrated database for its first visitor."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from newsletter.models import Edition
from papers.models import Paper
from papers.topics import sync


class Command(BaseCommand):
    help = "Sync the topics and, in an empty database, fetch papers and publish an edition. Repeatable."

    def handle(self, **options: Any) -> None:
        sync.sync_topics()
        if not Paper.objects.exists():
            # In development without a network, load the sample; a public site never shows it.
            call_command("fetch_papers", or_sample=settings.DEBUG, stdout=self.stdout)
            call_command("score_papers", stdout=self.stdout)
        if not Edition.objects.exists() and Paper.objects.exists():
            call_command("publish_edition", date=timezone.now().date(), stdout=self.stdout)
        self.stdout.write(f"Ready: {Paper.objects.count()} papers.")
