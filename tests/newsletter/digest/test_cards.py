"""newsletter/digest/cards.py"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils.html import escape

from newsletter.digest import cards
from newsletter.digest.cards import CardRenderer, Detail
from newsletter.digest.reasons import Reasons
from newsletter.digest.selection import Interests
from newsletter.models import Entry
from papers.models import Topic
from subscribers.preferences import feedback
from subscribers.preferences.feedback import FeedbackAction
from tests import factories

pytestmark = pytest.mark.django_db

ABSTRACT = "We study things that fold. " * 60


def entry(**fields: Any) -> Entry:
    paper = {name: fields.pop(name) for name in ("title", "abstract", "topics") if name in fields}
    return factories.entry(edition=factories.edition(), paper=factories.paper(**paper), **fields)


def join_cards(entry: Entry, reader: Any = None, **interests: Any) -> tuple[str, str]:
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    reader = reader or factories.subscriber()
    return CardRenderer(topics).join([entry], reader, Interests(length=5, **interests))


@pytest.mark.parametrize(
    ("detail", "expected_length"), [(Detail.TITLES, 0), (Detail.SHORT, 240), (Detail.FULL, 1620)]
)
def test_each_level_of_detail_limits_the_abstract(detail: str, expected_length: int) -> None:
    reader = factories.subscriber(preferences={"detail": detail})

    for body in join_cards(entry(abstract=ABSTRACT), reader):
        words = " ".join(re.findall(r"We study[^<]*?(?=<|\n\n|\narXiv|$)", body)).split()
        length = len(" ".join(words))
        assert expected_length - 20 <= length <= expected_length + 1


def test_a_card_shows_the_reader_s_own_reasons_first() -> None:
    paper = entry(matched=["author:noether e", "keyword:mamba"], upvotes=7)

    html, text = join_cards(paper, named_follows={"author:noether e": "E. <Noether>"})

    assert "by E. &lt;Noether&gt;, whom you follow</span>" in html
    assert html.index("whom you follow") < html.index("7 upvotes")
    assert "by E. <Noether>, whom you follow\n7 upvotes" in text
    assert "mamba" not in html + text


def test_a_card_has_the_reader_s_own_feedback_links_in_one_line() -> None:
    reader, robots = factories.subscriber(), entry(topics=["robotics"])
    mute = factories.topic("robotics")
    urls = [
        feedback.action_url(reader, FeedbackAction.MORE, robots.paper_id),
        feedback.action_url(reader, FeedbackAction.LESS, robots.paper_id),
        feedback.action_url(reader, FeedbackAction.MUTE, mute.pk),
    ]

    html, text = join_cards(robots, reader)

    [line] = [line for line in html.splitlines() if "More like this" in line]
    assert re.findall(r'href="([^"]*/feedback/[^"]*)"', line) == urls
    assert re.findall(r"(https?://\S+/feedback/\S+)", text) == urls
    assert ">Mute Robotics</a>" in line


@pytest.mark.parametrize(
    ("interests", "muted"),
    [
        ({}, "Robotics"),
        ({"topics": ["robotics"]}, "Speech"),
        ({"topics": ["robotics", "speech"], "preferred": ["robotics"]}, "Speech"),
        ({"topics": ["robotics", "speech"], "preferred": ["speech", "robotics"]}, "Robotics"),
    ],
)
def test_the_topic_to_mute_is_not_a_followed_one_if_there_is_another(
    interests: dict[str, list[str]], muted: str
) -> None:
    paper = entry(topics=["robotics", "speech"], topic_ranks={"robotics": 1, "speech": 4})

    html, _ = join_cards(paper, **{name: frozenset(slugs) for name, slugs in interests.items()})

    assert re.findall("Mute ([A-Z]\\w+)", html) == [muted]


def test_a_paper_without_a_topic_has_no_feedback_links() -> None:
    for body in join_cards(entry()):
        assert "like this" not in body


@pytest.mark.parametrize("text", ["'" * 3000, "深度学习" * 700, "& < > " * 900, "Wörter " * 400])
def test_a_truncated_abstract_stays_within_both_limits(text: str) -> None:
    for detail, (max_chars, max_bytes) in cards.ABSTRACT_LIMITS.items():
        short = cards.truncate_abstract(text, detail)

        assert len(short) <= max_chars
        assert len(escape(short).encode()) <= max_bytes
        assert bool(short) == bool(max_chars)


def test_an_entry_s_reasons_hold_its_figures_and_its_best_rank() -> None:
    paper = entry(
        topics=["robotics", "speech"],
        upvotes=87,
        gain=34,
        comments=3,
        topic_ranks={"robotics": 5, "speech": 2, "gone": 1},
    )
    topics = {topic.slug: topic for topic in Topic.objects.all()}

    assert cards.build_reasons(paper, topics) == Reasons(
        upvotes=87, gain=34, comments=3, has_code=False, topic_rank=2, topic="Speech"
    )
