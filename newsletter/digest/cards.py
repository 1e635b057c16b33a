"""The papers of a digest as cards, each rendered once per edition and level of detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.html import escape
from django.utils.text import wrap

from newsletter.digest import click_tracking
from newsletter.digest.fragments import SplitTemplate
from newsletter.digest.reasons import Reasons, personal_reasons
from newsletter.digest.selection import Interests
from newsletter.models import Entry
from papers.models import Topic
from subscribers.models import Preferences, Subscriber
from subscribers.preferences import feedback
from subscribers.preferences.feedback import FeedbackAction

Detail = Preferences.Detail

# The most of an abstract that a card shows, in characters and in bytes of escaped HTML. Gmail
# truncates mails over 102 kB: twenty full abstracts must stay below that in any script.
ABSTRACT_LIMITS = {Detail.TITLES: (0, 0), Detail.SHORT: (240, 800), Detail.FULL: (1700, 1700)}
# The line width of plain-text bodies.
TEXT_WIDTH_CHARS = 72

HtmlAndText = tuple[str, str]


class CardRenderer:
    """Renders the cards of an edition; keeps each rendered template for the next reader."""

    def __init__(self, topics: Mapping[str, Topic]) -> None:
        self.topics = topics
        self.card_templates: dict[tuple[int, str], tuple[SplitTemplate, SplitTemplate]] = {}
        self.feedback_templates: dict[str, tuple[SplitTemplate, SplitTemplate]] = {}

    def join(
        self, entries: Sequence[Entry], subscriber: Subscriber, interests: Interests
    ) -> HtmlAndText:
        """Return a reader's cards, joined and numbered in the given order."""
        html_cards, text_cards = [], []
        for rank, entry in enumerate(entries, start=1):
            html, text = self.card_template(entry, subscriber.preferences.detail)
            html_why, text_why = render_personal_reasons(entry, interests)
            html_links, text_links = self.render_feedback_links(entry, subscriber, interests)
            html_cards.append(
                html.fill({"rank": str(rank), "why": html_why, "feedback": html_links})
            )
            text_cards.append(
                text.fill({"rank": str(rank), "why": text_why, "feedback": text_links})
            )
        return "".join(html_cards), "".join(text_cards)

    def card_template(self, entry: Entry, detail: str) -> tuple[SplitTemplate, SplitTemplate]:
        key = (entry.pk, detail)
        if key not in self.card_templates:
            context = card_context(entry, self.topics, detail)
            self.card_templates[key] = render_pair("card", context, ["rank", "why", "feedback"])
        return self.card_templates[key]

    def render_feedback_links(
        self, entry: Entry, subscriber: Subscriber, interests: Interests
    ) -> HtmlAndText:
        """Return the links to give feedback; empty for a paper without a topic.

        Votes and muting act on topics, so such a paper has nothing to give feedback on.
        """
        topics = [self.topics[slug] for slug in entry.topic_ranks if slug in self.topics]
        if not topics:
            return "", ""
        mute = min(topics, key=lambda topic: mute_priority(topic.slug, entry, interests))
        if mute.slug not in self.feedback_templates:
            urls = ["more_url", "less_url", "mute_url"]
            self.feedback_templates[mute.slug] = render_pair("feedback", {"topic": mute.name}, urls)
        values = {
            "more_url": feedback.action_url(subscriber, FeedbackAction.MORE, entry.paper_id),
            "less_url": feedback.action_url(subscriber, FeedbackAction.LESS, entry.paper_id),
            "mute_url": feedback.action_url(subscriber, FeedbackAction.MUTE, mute.pk),
        }
        html, text = self.feedback_templates[mute.slug]
        return html.fill(values), "\n" + text.fill(values).rstrip()


def render_pair(
    name: str, context: Mapping[str, Any], placeholders: Sequence[str]
) -> tuple[SplitTemplate, SplitTemplate]:
    """Render the HTML and the text version of a template of the digest."""
    return (
        SplitTemplate(f"emails/digest/{name}.html", context, placeholders),
        SplitTemplate(f"emails/digest/{name}.txt", context, placeholders),
    )


def mute_priority(slug: str, entry: Entry, interests: Interests) -> tuple[bool, bool, int]:
    """Return a sort key: the lowest is the topic to offer for muting, one not followed if possible."""
    return slug in interests.preferred, slug in interests.topics, entry.topic_ranks[slug]


def render_personal_reasons(entry: Entry, interests: Interests) -> HtmlAndText:
    """Return the reasons that are the reader's own, to put in front of the figures."""
    labels = {**interests.named_follows, **interests.categories}
    reasons = personal_reasons(frozenset(entry.matched), labels) if entry.matched else []
    if not reasons:
        return "", ""
    span = '<span class="warm" style="color:#a8401c">{}</span>&nbsp;· '
    html = "".join(span.format(escape(reason)) for reason in reasons)
    return html, wrap(" · ".join(reasons), TEXT_WIDTH_CHARS) + "\n"


def card_context(entry: Entry, topics: Mapping[str, Topic], detail: str) -> dict[str, Any]:
    """Return the template context of a card: what is the same for all readers."""
    paper, links = entry.paper, click_tracking.card_urls(entry)
    card = {
        "title": paper.title,
        "byline": paper.byline,
        "organization": paper.organization,
        "abstract": truncate_abstract(paper.abstract, detail),
        "machine_summary": truncate_abstract(paper.machine_summary, detail),
        **{f"{kind}_url": url for kind, url in links.items()},
        "why": build_reasons(entry, topics).phrases(),
        "small": detail == Detail.TITLES,
    }
    return {"card": card}


def build_reasons(entry: Entry, topics: Mapping[str, Topic]) -> Reasons:
    """Return an entry's figures and its best rank; ignore topics that no longer exist."""
    ranks = [(rank, slug) for slug, rank in entry.topic_ranks.items() if slug in topics]
    rank, slug = min(ranks, default=(None, ""))
    return Reasons(
        upvotes=entry.upvotes,
        gain=entry.gain,
        comments=entry.comments,
        has_code=bool(entry.paper.code_url),
        topic_rank=rank,
        topic=topics[slug].name if slug else "",
    )


def truncate_abstract(text: str, detail: str) -> str:
    """Return an abstract, truncated to both limits of the level of detail."""
    max_chars, max_bytes = ABSTRACT_LIMITS[Detail(detail)]
    short = truncate_words(text, max_chars) if max_chars else ""
    while (size := len(escape(short).encode())) > max_bytes:
        # Shorten in proportion, and by one character at least, or this would not end.
        short = truncate_words(short, min(len(short) * max_bytes // size, len(short) - 1))
    return short


def truncate_words(text: str, max_chars: int) -> str:
    """Return the text, or as many of its words as fit together with an ellipsis."""
    if len(text) <= max_chars:
        return text
    head = text[: max_chars - 1]
    if not text[max_chars - 1].isspace():
        head = head.rpartition(" ")[0] or head  # some scripts have no spaces
    return head.rstrip(" ,;:.–—-") + "…"


def absolute_url(path: str) -> str:
    return f"{settings.SITE_URL}{path}"
