"""Render an edition's digests as email messages.

Each paper's card and the layout around the cards are rendered once, with placeholders for what is
personal. A reader's digest is these templates filled with the reader's own values: it costs no
query, and renders no template but the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import get_template
from django.utils.html import escape

from newsletter.digest.cards import CardRenderer, absolute_url, truncate_words
from newsletter.digest.fragments import SplitTemplate
from newsletter.digest.reasons import pluralise
from newsletter.digest.selection import Candidate, Interests, Selection, choose
from newsletter.editions.coverage import MAX_CATCH_UP
from newsletter.models import Delivery, Edition, Entry
from papers.models import Topic
from subscribers.mail import links
from subscribers.mail import message as mail_message
from subscribers.models import Subscriber

MAX_PREHEADER_CHARS = 140


class Renderer:
    """Renders the digests of one edition; use one for all its readers."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.cached_candidates: dict[date, list[Candidate]] = {}

    @cached_property
    def entries(self) -> dict[int, Entry]:
        """Return every entry that a digest of this edition may hold, by id."""
        entries = Entry.objects.filter(
            edition__date__gt=self.edition.date - MAX_CATCH_UP,
            edition__date__lte=self.edition.date,
        ).select_related("paper", "edition")
        return {entry.pk: entry for entry in entries}

    @cached_property
    def cards(self) -> CardRenderer:
        return CardRenderer({topic.slug: topic for topic in Topic.objects.all()})

    def candidates(self, *, after: date) -> list[Candidate]:
        """Return the entries of the editions after a date as candidates; one query in all."""
        if after not in self.cached_candidates:
            self.cached_candidates[after] = [
                to_candidate(entry, entry.matched)
                for entry in self.entries.values()
                if entry.edition.date > after
            ]
        return self.cached_candidates[after]

    def choose_for(self, interests: Interests, *, after: date) -> Selection:
        """Return the papers of one reader's digest."""
        return choose(self.candidates(after=after), interests)

    def message(
        self,
        delivery: Delivery,
        subscriber: Subscriber,
        interests: Interests,
        papers: Sequence[Candidate],
    ) -> EmailMultiAlternatives:
        """Return the email of one delivery; deterministic, so that a repeat is the same message.

        Raise CannotSendError if the subscriber must not get mail of this kind.
        """
        entries = [self.entries[candidate.entry_id] for candidate in papers]
        values = {
            "paper_count": pluralise(len(entries), "paper"),
            "preferences_url": links.signed_url(links.Purpose.PREFERENCES, subscriber),
            "unsubscribe_url": links.signed_url(links.Purpose.UNSUBSCRIBE, subscriber),
        }
        preheader = build_preheader(entries)
        html_cards, text_cards = self.cards.join(entries, subscriber, interests)
        return mail_message.compose_message(
            subscriber,
            kind="digest",
            subject=render_subject(entries),
            text=self.layout_text.fill({**values, "cards": text_cards, "preheader": preheader}),
            html=self.layout_html.fill(
                {**values, "cards": html_cards, "preheader": escape(preheader)}
            ),
            metadata={"edition": str(self.edition), "delivery": str(delivery.pk)},
            message_id=message_id(self.edition, delivery.pk),
        )

    @cached_property
    def layout_html(self) -> SplitTemplate:
        return self.render_layout("emails/digest/body.html")

    @cached_property
    def layout_text(self) -> SplitTemplate:
        return self.render_layout("emails/digest/body.txt")

    def render_layout(self, template_name: str) -> SplitTemplate:
        """Render the layout around the cards, the same for all readers but its placeholders."""
        context = {
            "edition_date": self.edition.date,
            "edition_url": absolute_url(self.edition.get_absolute_url()),
            "site_name": settings.SITE_NAME,
            "site_url": settings.SITE_URL,
            "postal_address": settings.POSTAL_ADDRESS,
        }
        placeholders = ["cards", "paper_count", "preheader", "preferences_url", "unsubscribe_url"]
        return SplitTemplate(template_name, context, placeholders)


def to_candidate(entry: Entry, match_keys: Iterable[str]) -> Candidate:
    """Return an entry as `selection` compares it; the keys are those to match follows with."""
    return Candidate(entry.pk, frozenset(entry.topic_ranks), entry.score, frozenset(match_keys))


def render_subject(entries: Sequence[Entry]) -> str:
    """Return the subject, which names the first paper, on one line: a title may have breaks."""
    context = {"first_title": entries[0].paper.title, "others": len(entries) - 1}
    template = get_template("emails/digest/subject.txt", using="text")
    return " ".join(template.render(context).split())


def build_preheader(entries: Sequence[Entry]) -> str:
    """Return the text an inbox shows beside the subject: the next titles, or else the abstract."""
    titles = [entry.paper.title for entry in entries[1:4]]
    return truncate_words(" · ".join(titles) or entries[0].paper.abstract, MAX_PREHEADER_CHARS)


def message_id(edition: Edition, delivery_id: int) -> str:
    """Return a delivery's Message-ID: the same each time, so a provider can be asked for it."""
    return f"<digest-{edition}-{delivery_id}@{settings.SITE_HOST}>"
