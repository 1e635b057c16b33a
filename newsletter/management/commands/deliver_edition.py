"""Open and send the deliveries of an edition, in this process."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import nullcontext
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from rich.progress import Progress

from newsletter.delivery import handover, schedule
from newsletter.management.base import EditionCommand
from newsletter.models import Delivery, Edition


class Command(EditionCommand):
    help = "Open and send the deliveries of an edition to every due reader, without Celery."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--everyone", action="store_true", help="to every active reader, whatever their hour"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="report what would be done, and change nothing"
        )

    def handle(self, **options: Any) -> None:
        edition = self.get_edition(options)
        # Only a dry run is one transaction, so that it can be rolled back. A real run locks one page of
        # readers at a time.
        with transaction.atomic() if options["dry_run"] else nullcontext():
            opened = self.open_deliveries(edition, everyone=options["everyone"])
            pending = edition.deliveries.filter(state=Delivery.State.PENDING).count()
            if options["dry_run"]:
                transaction.set_rollback(True)
        if options["dry_run"]:
            self.stdout.write(
                f"Edition {edition}: would open {opened} and hand over {pending}; nothing changed."
            )
            return
        counts = self.hand_over(edition, pending)
        self.stdout.write(f"Edition {edition}: {opened} opened, {summarise_counts(counts)}.")
        if counts["paused"]:
            raise CommandError(
                "Sending is paused, because the provider asked for it. Run this again in a minute, or "
                "leave it to the next tick."
            )

    def open_deliveries(self, edition: Edition, *, everyone: bool) -> int:
        now = timezone.now()
        if everyone:
            return len(schedule.open_unscheduled(edition, now=now))
        return schedule.open_due(now=now, edition=edition)["opened"]

    def hand_over(self, edition: Edition, pending: int) -> Counter[str]:
        counts = handover.recover_abandoned_batches(now=timezone.now())
        with Progress(disable=not sys.stderr.isatty()) as progress:
            bar = progress.add_task("Sending", total=pending)
            counts += handover.deliver(
                edition,
                clock=timezone.now,
                progress=lambda done: progress.update(bar, completed=done),
            )
        return counts


def summarise_counts(counts: Counter[str]) -> str:
    return schedule.format_counts(counts) or "nothing to hand over"
