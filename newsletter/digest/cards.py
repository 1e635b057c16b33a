"""The papers of a digest, one card each: rendered once an edition and level of detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.html import escape
from django.utils.text import wrap

from newsletter.digest import click_tracking
from newsletter.digest.fragments import Pieces
from newsletter.digest.reasons import Why, of_yours
from newsletter.digest.selection import Wanted
from newsletter.models import Entry
from papers.models import Topic
from subscribers.models import Preferences, Subscriber
from subscribers.preferences import feedback
from subscribers.preferences.feedback import Verb

Detail = Preferences.Detail

# How much of an abstract a card shows: characters, and bytes of HTML. Twenty cards of full
# abstracts stay below what Gmail cuts off, whatever the script and however much is escaped.
ABSTRACTS = {Detail.TITLES: (0, 0), Detail.SHORT: (240, 800), Detail.FULL: (1700, 1700)}
# Text bodies are as wide as this.
WIDTH = 72

Both = tuple[str, str]


class Cards:
    """HTML and text of the papers, joined for one reader after another."""

    def __init__(self, topics: Mapping[str, Topic]) -> None:
        self.topics = topics
        self.cards: dict[tuple[int, str], tuple[Pieces, Pieces]] = {}
        self.links: dict[str, tuple[Pieces, Pieces]] = {}

    def join(self, entries: Sequence[Entry], subscriber: Subscriber, wanted: Wanted) -> Both:
        """The cards one after another, numbered as this reader sees them."""
        html, text = [], []
        for rank, entry in enumerate(entries, start=1):
            as_html, as_text = self.card(entry, subscriber.preferences.detail)
            html_why, text_why = personal_why(entry, wanted)
            html_links, text_links = self.feedback(entry, subscriber, wanted)
            html.append(as_html.join({"rank": str(rank), "why": html_why, "feedback": html_links}))
            text.append(as_text.join({"rank": str(rank), "why": text_why, "feedback": text_links}))
        return "".join(html), "".join(text)

    def card(self, entry: Entry, detail: str) -> tuple[Pieces, Pieces]:
        key = (entry.pk, detail)
        if key not in self.cards:
            context = card_context(entry, self.topics, detail)
            self.cards[key] = both("card", context, ["rank", "why", "feedback"])
        return self.cards[key]

    def feedback(self, entry: Entry, subscriber: Subscriber, wanted: Wanted) -> Both:
        """Their links to more, less and muting; nothing is learned from a paper without a topic."""
        topics = [self.topics[slug] for slug in entry.topic_ranks if slug in self.topics]
        if not topics:
            return "", ""
        mute = min(topics, key=lambda topic: least_wanted(topic.slug, entry, wanted))
        if mute.slug not in self.links:
            urls = ["more_url", "less_url", "mute_url"]
            self.links[mute.slug] = both("feedback", {"topic": mute.name}, urls)
        values = {
            "more_url": feedback.url(subscriber, Verb.MORE, entry.paper_id),
            "less_url": feedback.url(subscriber, Verb.LESS, entry.paper_id),
            "mute_url": feedback.url(subscriber, Verb.MUTE, mute.pk),
        }
        as_html, as_text = self.links[mute.slug]
        return as_html.join(values), "\n" + as_text.join(values).rstrip()


def both(name: str, context: Mapping[str, Any], marks: Sequence[str]) -> tuple[Pieces, Pieces]:
    return (
        Pieces(f"emails/digest/{name}.html", context, marks),
        Pieces(f"emails/digest/{name}.txt", context, marks),
    )


def least_wanted(slug: str, entry: Entry, wanted: Wanted) -> tuple[bool, bool, int]:
    """The topic to offer for muting: none that is followed if there is another."""
    return slug in wanted.preferred, slug in wanted.topics, entry.topic_ranks[slug]


def personal_why(entry: Entry, wanted: Wanted) -> Both:
    """Whom and what the reader follows, in front of the figures."""
    labels = {**wanted.named, **wanted.categories}
    facts = of_yours(frozenset(entry.matched), labels) if entry.matched else []
    if not facts:
        return "", ""
    warm = '<span class="warm" style="color:#a8401c">{}</span>&nbsp;· '
    html = "".join(warm.format(escape(fact)) for fact in facts)
    return html, wrap(" · ".join(facts), WIDTH) + "\n"


def card_context(entry: Entry, topics: Mapping[str, Topic], detail: str) -> dict[str, Any]:
    paper, links = entry.paper, click_tracking.urls(entry)
    card = {
        "title": paper.title,
        "byline": paper.byline,
        "organization": paper.organization,
        "abstract": abstract_of(paper.abstract, detail),
        "machine_summary": abstract_of(paper.machine_summary, detail),
        **{f"{kind}_url": address for kind, address in links.items()},
        "why": why(entry, topics).words(),
        "small": detail == Detail.TITLES,
    }
    return {"card": card}


def why(entry: Entry, topics: Mapping[str, Topic]) -> Why:
    places = [(place, slug) for slug, place in entry.topic_ranks.items() if slug in topics]
    place, slug = min(places, default=(None, ""))
    return Why(
        upvotes=entry.upvotes,
        gain=entry.gain,
        comments=entry.comments,
        has_code=bool(entry.paper.code_url),
        place=place,
        topic=topics[slug].name if slug else "",
    )


def abstract_of(text: str, detail: str) -> str:
    """As much of an abstract as this level of detail shows."""
    length, size = ABSTRACTS[Detail(detail)]
    short = shortened(text, length) if length else ""
    while (bytes_needed := len(escape(short).encode())) > size:
        short = shortened(short, min(len(short) * size // bytes_needed, len(short) - 1))
    return short


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
