"""A digest as subject, HTML and text.

Each paper's card and the frame around the cards are rendered once, with marks at the personal
places; a reader's digest is those pieces joined with what is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import get_template
from django.utils.html import escape

from newsletter.digest.cards import Cards, absolute, shortened
from newsletter.digest.fragments import Pieces
from newsletter.digest.selection import Candidate, Choice, Wanted, choose
from newsletter.editions.coverage import LONGEST_REACH
from newsletter.models import Delivery, Edition, Entry
from papers.models import Topic
from subscribers.mail import links
from subscribers.mail import message as mail_message
from subscribers.models import Subscriber

PREHEADER = 140


class Renderer:
    """The digests of one edition."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.reached: dict[date, list[Candidate]] = {}

    @cached_property
    def entries(self) -> dict[int, Entry]:
        """Every entry that any reader's digest may hold, by id."""
        entries = Entry.objects.filter(
            edition__date__gt=self.edition.date - LONGEST_REACH,
            edition__date__lte=self.edition.date,
        ).select_related("paper", "edition")
        return {entry.pk: entry for entry in entries}

    @cached_property
    def cards(self) -> Cards:
        return Cards({topic.slug: topic for topic in Topic.objects.all()})

    def candidates(self, *, after: date) -> list[Candidate]:
        """The entries of the editions after that date, as choosing sees them."""
        if after not in self.reached:
            self.reached[after] = [
                candidate(entry, entry.matched)
                for entry in self.entries.values()
                if entry.edition.date > after
            ]
        return self.reached[after]

    def choose_for(self, wanted: Wanted, *, after: date) -> Choice:
        """The papers of one reader's digest, by what they want."""
        return choose(self.candidates(after=after), wanted)

    def message(
        self,
        delivery: Delivery,
        subscriber: Subscriber,
        wanted: Wanted,
        chosen: Sequence[Candidate],
    ) -> EmailMultiAlternatives:
        """The email of one delivery; the same again for the same papers and reader."""
        entries = [self.entries[each.entry_id] for each in chosen]
        values = {
            "count": str(len(entries)),
            "preferences_url": links.url(links.Purpose.PREFERENCES, subscriber),
            "unsubscribe_url": links.url(links.Purpose.UNSUBSCRIBE, subscriber),
        }
        preheader = preheader_of(entries)
        html_cards, text_cards = self.cards.join(entries, subscriber, wanted)
        return mail_message.compose(
            subscriber,
            kind="digest",
            subject=subject_of(entries),
            text=self.frame_text.join({**values, "cards": text_cards, "preheader": preheader}),
            html=self.frame_html.join(
                {**values, "cards": html_cards, "preheader": escape(preheader)}
            ),
            metadata={"edition": str(self.edition), "delivery": str(delivery.pk)},
            message_id=message_id(self.edition, delivery.pk),
        )

    @cached_property
    def frame_html(self) -> Pieces:
        return self.frame("emails/digest/body.html")

    @cached_property
    def frame_text(self) -> Pieces:
        return self.frame("emails/digest/body.txt")

    def frame(self, template: str) -> Pieces:
        context = {
            "edition_date": self.edition.date,
            "edition_url": absolute(self.edition.get_absolute_url()),
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "postal_address": settings.POSTAL_ADDRESS,
        }
        marks = ["cards", "count", "preheader", "preferences_url", "unsubscribe_url"]
        return Pieces(template, context, marks)


def candidate(entry: Entry, matched: Iterable[str]) -> Candidate:
    return Candidate(entry.pk, frozenset(entry.topic_ranks), entry.score, frozenset(matched))


def subject_of(entries: Sequence[Entry]) -> str:
    context = {"first_title": entries[0].paper.title, "others": len(entries) - 1}
    template = get_template("emails/digest/subject.txt", using="text")
    return " ".join(template.render(context).split())


def preheader_of(entries: Sequence[Entry]) -> str:
    """What an inbox shows beside the subject: the papers that the subject does not name."""
    titles = [entry.paper.title for entry in entries[1:4]]
    return shortened(" · ".join(titles) or entries[0].paper.abstract, PREHEADER)


def message_id(edition: Edition, delivery_id: int) -> str:
    """Known before the message is sent, and the same whenever it is asked for."""
    return f"<digest-{edition}-{delivery_id}@{settings.SITE_HOST}>"
