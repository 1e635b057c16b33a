"""Publish the edition of a day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from newsletter.editions import publish
from newsletter.management.base import EditionCommand
from newsletter.models import Edition


class Command(EditionCommand):
    help = "Publish the edition of a day: freeze its ranking, once. Safe to repeat."

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        day = options["date"] or now.date()
        if day > now.date():
            raise CommandError(f"{day} is in the future: its papers are not known yet.")
        existed = Edition.objects.filter(date=day).exists()
        try:
            edition = publish.publish_edition(day, at=min(now, publish.end_of_day(day)))
        except publish.NothingToPublishError as error:
            raise CommandError(str(error)) from None
        verb = "was published before" if existed else "published"
        self.stdout.write(f"Edition {edition} {verb}: {edition.entries.count()} papers.")
