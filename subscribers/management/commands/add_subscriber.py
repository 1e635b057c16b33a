"""Add one reader, or change what one wants."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from subscribers import tasks
from subscribers.transfer import importing


class Command(BaseCommand):
    help = "Add a subscriber, or change the given options of one; again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--topics", metavar="A,B", help="slugs (default: all topics)")
        parser.add_argument("--categories", metavar="A,B", help="of arXiv, such as cs.RO")
        parser.add_argument("--authors", metavar="'A;B'", help="names, with a ; between them")
        parser.add_argument("--keywords", metavar="A,B", help="words or phrases")
        parser.add_argument("--timezone", metavar="ZONE", help="such as Europe/Berlin")
        parser.add_argument("--hour", help="of the digest, there (default: 7)")
        parser.add_argument(
            "--confirmed", action="store_true", help="they have said yes: do not ask them by email"
        )

    def handle(self, **options: Any) -> None:
        try:
            row = importing.parse_row(options, known_topics=importing.load_topic_slugs())
            subscriber = importing.add_or_update(
                row, confirmed=options["confirmed"], now=timezone.now()
            )
        except importing.InvalidRowError as error:
            raise CommandError(str(error)) from None
        if subscriber.confirmation_requested_at:
            tasks.enqueue_confirmation_on_commit(subscriber.pk)
        self.stdout.write(f"Subscriber {subscriber} is in the list.")
