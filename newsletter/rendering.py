"""A digest as subject, HTML and text.

Each paper's card and the frame around the cards are rendered once, with marks at the personal
places; a reader's digest is those pieces joined with what is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import get_template, render_to_string
from django.utils.html import escape

from newsletter.digest import Candidate, choose
from newsletter.models import Delivery, Edition, Entry
from newsletter.schedule import LONGEST_REACH
from papers.models import Topic
from subscribers import links, mail
from subscribers.models import Subscriber

# How much of an abstract a digest shows, in characters.
ABSTRACT = 240
PREHEADER = 140


class Pieces:
    """A rendered template, split at its marks; joining it with values is all a reader costs."""

    def __init__(self, template: str, context: Mapping[str, Any], marks: Sequence[str]) -> None:
        secret = uuid4().hex  # so that no paper can hold a mark
        filled = {name: f"{secret}{name}{secret}" for name in marks}
        engine = "html" if template.endswith(".html") else "text"
        whole = render_to_string(template, {**context, **filled}, using=engine)
        self.parts = re.split(f"{secret}(\\w+){secret}", whole)

    def join(self, values: Mapping[str, str]) -> str:
        parts = self.parts.copy()
        parts[1::2] = [values[name] for name in parts[1::2]]
        return "".join(parts)


class Renderer:
    """The digests of one edition."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.cards: dict[int, tuple[Pieces, Pieces]] = {}
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
    def topics(self) -> dict[str, Topic]:
        return {topic.slug: topic for topic in Topic.objects.all()}

    def candidates(self, *, after: date) -> list[Candidate]:
        """The entries of the editions after that date, as choosing sees them."""
        if after not in self.reached:
            self.reached[after] = [
                Candidate(entry.pk, frozenset(entry.topic_ranks), entry.score)
                for entry in self.entries.values()
                if entry.edition.date > after
            ]
        return self.reached[after]

    def choose_for(self, subscriber: Subscriber, *, after: date) -> list[Candidate]:
        """The papers of one reader's digest, by their preferences; none when none matches."""
        wanted = subscriber.preferences
        return choose(
            self.candidates(after=after),
            wanted={topic.slug for topic in wanted.topics.all()},
            length=wanted.length,
        )

    def message(
        self, delivery: Delivery, subscriber: Subscriber, chosen: Sequence[Candidate]
    ) -> EmailMultiAlternatives:
        """The email of one delivery; the same again for the same papers and reader."""
        entries = [self.entries[each.entry_id] for each in chosen]
        values = {
            "count": str(len(entries)),
            "preferences_url": links.url(links.Purpose.PREFERENCES, subscriber),
            "unsubscribe_url": links.url(links.Purpose.UNSUBSCRIBE, subscriber),
        }
        preheader = preheader_of(entries)
        html_cards, text_cards = self.cards_of(entries)
        return mail.compose(
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

    def cards_of(self, entries: Sequence[Entry]) -> tuple[str, str]:
        """The cards one after another, numbered as this reader sees them: HTML and text."""
        html, text = [], []
        for rank, entry in enumerate(entries, start=1):
            as_html, as_text = self.card(entry)
            html.append(as_html.join({"rank": str(rank)}))
            text.append(as_text.join({"rank": str(rank)}))
        return "".join(html), "".join(text)

    def card(self, entry: Entry) -> tuple[Pieces, Pieces]:
        if entry.pk not in self.cards:
            context = card_context(entry, self.topics)
            self.cards[entry.pk] = (
                Pieces("emails/digest/card.html", context, ["rank"]),
                Pieces("emails/digest/card.txt", context, ["rank"]),
            )
        return self.cards[entry.pk]

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


def card_context(entry: Entry, topics: Mapping[str, Topic]) -> dict[str, Any]:
    paper = entry.paper
    found = [topics[slug] for slug in entry.topic_ranks if slug in topics]
    card = {
        "title": paper.title,
        "byline": paper.byline,
        "organization": paper.organization,
        "abstract": shortened(paper.abstract, ABSTRACT),
        "machine_summary": paper.machine_summary,
        "page_url": absolute(paper.get_absolute_url()),
        "arxiv_url": paper.arxiv_url,
        "source_url": paper.doi_url or absolute(paper.get_absolute_url()),
        "pdf_url": paper.pdf_url,
        "code_url": paper.code_url,
        "project_url": paper.project_url,
        "discussion_url": paper.discussion_url,
        "upvotes": entry.upvotes,
        "gain": entry.gain,
        "comments": paper.comments,
        "topics": [
            {"name": topic.name, "url": absolute(topic.get_absolute_url())} for topic in found
        ],
        "why": why(entry, topics),
    }
    return {"card": card, "rank": None}


def why(entry: Entry, topics: Mapping[str, Topic]) -> list[str]:
    """Why the paper is here, in figures: its best place in a topic, votes, growth."""
    facts = []
    places = [(place, slug) for slug, place in entry.topic_ranks.items() if slug in topics]
    if places:
        place, slug = min(places)
        facts.append(f"#{place} in {topics[slug].name}")
    facts.append("1 upvote" if entry.upvotes == 1 else f"{entry.upvotes} upvotes")
    if entry.gain and entry.gain > 0:
        facts.append(f"+{entry.gain} since yesterday")
    return facts


def subject_of(entries: Sequence[Entry]) -> str:
    context = {"first_title": entries[0].paper.title, "others": len(entries) - 1}
    template = get_template("emails/digest/subject.txt", using="text")
    return " ".join(template.render(context).split())


def preheader_of(entries: Sequence[Entry]) -> str:
    """What an inbox shows beside the subject: the papers that the subject does not name."""
    titles = [entry.paper.title for entry in entries[1:4]]
    return shortened(" · ".join(titles) or entries[0].paper.abstract, PREHEADER)


def shortened(text: str, length: int) -> str:
    """The text, or as many of its words as fit with an ellipsis."""
    if len(text) <= length:
        return text
    head = text[: length - 1]
    if not text[length - 1].isspace():
        head = head.rpartition(" ")[0] or head  # not every script puts spaces between words
    return head.rstrip(" ,;:.–—-") + "…"


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def message_id(edition: Edition, delivery_id: int) -> str:
    """Known before the message is sent, and the same whenever it is asked for."""
    return f"<digest-{edition}-{delivery_id}@{settings.SITE_HOST}>"
