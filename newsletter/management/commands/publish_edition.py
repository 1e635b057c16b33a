"""Freeze a day's ranking into an edition."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from newsletter.editions import publish
from newsletter.management.base import EditionCommand
from newsletter.models import Edition


class Command(EditionCommand):
    help = "Freeze a day's ranking into an edition, once; again changes nothing."

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        wanted = options["date"] or now.date()
        if wanted > now.date():
            raise CommandError(f"{wanted} is in the future: its papers are not known yet.")
        known = Edition.objects.filter(date=wanted).exists()
        try:
            edition = publish.publish_edition(wanted, at=min(now, publish.end_of_day(wanted)))
        except publish.NothingToPublishError as error:
            raise CommandError(str(error)) from None
        verb = "was published before" if known else "published"
        self.stdout.write(f"Edition {edition} {verb}: {edition.entries.count()} papers.")
