"""Do the main job once: fetch papers, publish an edition, deliver one digest to the mailbox."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from newsletter.delivery import handover, mailbox, schedule
from newsletter.digest import rendering
from newsletter.editions import publish as editions_publish
from newsletter.models import Delivery, Edition
from papers.models import Paper
from subscribers.models import Subscriber

DEMO_READER_EMAIL = "reader@example.org"
# Broad enough for the smallest edition.
DEMO_TOPICS = [
    "agents",
    "computer-vision",
    "image-video-generation",
    "large-language-models",
    "multimodal",
    "nlp",
    "reasoning",
    "reinforcement-learning",
]


class Command(BaseCommand):
    help = "Do the main job once, for a demo reader. PAPERS names a saved response to use."

    def handle(self, **options: Any) -> None:
        papers = papers_file_from_env()
        re_exec_with(environment_overrides(papers))
        logging.disable(logging.INFO)  # the results are printed below
        call_command("migrate", verbosity=0)
        if papers:
            call_command("fetch_papers", from_file=papers, stdout=self.stdout)
        else:
            call_command("fetch_papers", or_sample=True, stdout=self.stdout)
        at = end_of_latest_listing() if papers else timezone.now()
        call_command("score_papers", at=at.isoformat(), stdout=self.stdout)
        edition = self.publish(at=at)
        self.deliver(edition)

    def publish(self, *, at: datetime) -> Edition:
        try:
            edition = editions_publish.publish_edition(at.date(), at=at)
        except editions_publish.NothingToPublishError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Edition {edition}: {edition.entries.count()} papers.")
        return edition

    def deliver(self, edition: Edition) -> None:
        topics = ",".join(DEMO_TOPICS)
        call_command(
            "add_subscriber", DEMO_READER_EMAIL, topics=topics, confirmed=True, stdout=self.stdout
        )
        reader = Subscriber.objects.get(email=DEMO_READER_EMAIL)
        opened = schedule.open_unscheduled(edition, now=timezone.now(), subscriber_ids=[reader.pk])
        handover.deliver(edition, clock=timezone.now)
        self.print_result(
            edition, edition.deliveries.get(subscriber=reader), already_delivered=not opened
        )

    def print_result(self, edition: Edition, row: Delivery, *, already_delivered: bool) -> None:
        if row.state != Delivery.State.HANDED_OVER:
            raise CommandError(
                f"The digest was not delivered: {row.get_state_display()} {row.error}".strip()
            )
        email = mailbox.message_path(rendering.message_id(edition, row.pk))
        if already_delivered:
            self.stdout.write("This edition was delivered before; nothing was sent again.")
        self.stdout.write(f"HTML:    {email.with_suffix('.html')}")
        self.stdout.write(f"Email:   {email}")
        self.stdout.write(f"Mailbox: {settings.MAILBOX_DIR}")


def papers_file_from_env() -> Path | None:
    """Return the file that PAPERS names, or None."""
    name = os.environ.get("PAPERS")
    if not name:
        return None
    path = Path(name)
    if not path.is_file():
        raise CommandError(f"There is no file {path}.")
    return path


def environment_overrides(papers: Path | None) -> dict[str, str]:
    """Return the variables that a demo needs: a data folder of its own, and the file provider.

    A demo must not mix with the data of `make run`, nor with another demo, whose edition may contain
    the same papers.
    """
    overrides = {}
    if settings.EMAIL_PROVIDER != "file":
        overrides["EMAIL_PROVIDER"] = "file"
    if not os.environ.get("DATA_DIR") and not os.environ.get("DATABASE_URL"):
        name = timezone.now().date().isoformat()
        if papers:
            name = f"{papers.stem}-{hashlib.sha256(papers.read_bytes()).hexdigest()[:8]}"
        overrides["DATA_DIR"] = str(settings.DATA_DIR / "demo" / name)
    return overrides


def re_exec_with(overrides: dict[str, str]) -> None:
    """Restart this process if variables must differ: settings are read once, at the start."""
    if overrides:
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **overrides})


def end_of_latest_listing() -> datetime:
    """Return the end of the newest listing day among the papers."""
    listed = Paper.objects.filter(listed_on__isnull=False).order_by("-listed_on")
    newest = listed.values_list("listed_on", flat=True).first()
    if newest is None:
        raise CommandError("There is no paper to publish.")
    return editions_publish.end_of_day(newest)
