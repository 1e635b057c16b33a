"""Add a subscriber, or change the preferences of one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from subscribers import tasks
from subscribers.transfer import import_rows, importing


class Command(BaseCommand):
    help = "Add a subscriber, or change the given preferences of an existing one. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the subscriber's address")
        parser.add_argument("--topics", metavar="A,B", help="topic slugs (default: all topics)")
        parser.add_argument(
            "--categories", metavar="A,B", help="arXiv categories, for example cs.RO"
        )
        parser.add_argument("--authors", metavar="'A;B'", help="names, separated by semicolons")
        parser.add_argument("--keywords", metavar="A,B", help="words or phrases")
        parser.add_argument("--timezone", metavar="ZONE", help="for example Europe/Berlin")
        parser.add_argument("--hour", help="local hour of the digest (default: 7)")
        parser.add_argument(
            "--confirmed",
            action="store_true",
            help="they have agreed already: do not send a confirmation email",
        )

    def handle(self, **options: Any) -> None:
        try:
            row = import_rows.parse_row(options, known_topics=import_rows.load_topic_slugs())
            subscriber = importing.add_or_update(
                row, confirmed=options["confirmed"], now=timezone.now()
            )
        except import_rows.InvalidRowError as error:
            raise CommandError(str(error)) from None
        if subscriber.confirmation_requested_at:
            tasks.enqueue_confirmation_on_commit(subscriber.pk)
        self.stdout.write(f"Added or updated: subscriber {subscriber}.")
