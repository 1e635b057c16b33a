"""Write the digest that a reader would get, without sending anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from newsletter.digest import interests, rendering
from newsletter.digest.reasons import pluralise
from newsletter.editions import coverage
from newsletter.management.base import EditionCommand
from newsletter.models import Delivery
from subscribers import suppression
from subscribers.addresses import normalise_address
from subscribers.mail import message as mail_message
from subscribers.models import Subscriber


class Command(EditionCommand):
    help = "Show the digest that a reader would get from an edition; nothing is sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        super().add_arguments(parser)
        parser.add_argument("--html", type=Path, metavar="PATH", help="write the HTML body here")
        parser.add_argument("--text", type=Path, metavar="PATH", help="write the text body here")

    def handle(self, **options: Any) -> None:
        edition, reader = self.get_edition(options), self.get_subscriber(options["email"])
        if suppression.is_suppressed(reader.email):
            raise CommandError("This address must not be written to: nothing would be sent.")
        renderer = rendering.Renderer(edition)
        last = coverage.last_edition_dates([reader.pk], before=edition.date).get(reader.pk)
        after = coverage.covered_after(edition, reader.preferences, last_edition_date=last)
        wishes = interests.interests_by_subscriber([reader])[reader.pk]
        choice = renderer.choose_for(wishes, after=after)
        if not choice.papers:
            raise CommandError(
                f"Edition {edition} has {pluralise(choice.eligible_count, 'paper')} for this reader, who asks for "
                f"{wishes.minimum} at least: nothing would be sent."
                if choice.eligible_count
                else f"Edition {edition} has no paper of what this reader follows: nothing would "
                "be sent."
            )
        try:
            message = renderer.message(Delivery(pk=0), reader, wishes, choice.papers)
        except mail_message.CannotSendError as refusal:
            raise CommandError(str(refusal)) from None
        bodies = {"html": str(message.alternatives[0][0]), "text": str(message.body)}
        for kind, body in bodies.items():
            if path := options[kind]:
                self.write_body(path, body)
        if not options["html"] and not options["text"]:
            self.stdout.write(bodies["text"])
        self.stdout.write(f"{len(choice.papers)} papers: {message.subject}")

    def get_subscriber(self, email: str) -> Subscriber:
        try:
            return Subscriber.objects.select_related("preferences").get(
                email=normalise_address(email)
            )
        except (Subscriber.DoesNotExist, ValueError):
            raise CommandError("There is no subscriber with that address.") from None

    def write_body(self, path: Path, body: str) -> None:
        try:
            path.write_text(body)
        except OSError as error:
            raise CommandError(f"Could not write {path}: {error.strerror}.") from None
