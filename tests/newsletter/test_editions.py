"""newsletter/editions.py"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter import editions
from newsletter.models import Edition, Entry
from papers.models import Paper
from tests import make

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 5, 12, 4, 0, tzinfo=UTC)
EVENING = editions.end_of(make.TODAY)


def titles(edition: Edition) -> list[str]:
    return list(edition.entries.order_by("rank").values_list("paper__title", flat=True))


def test_an_edition_holds_the_day_s_papers_best_first() -> None:
    for title, upvotes in [("good", 20), ("best", 50), ("fair", 5)]:
        make.paper(title=title, upvotes=upvotes)

    edition = editions.publish(make.TODAY, at=make.NOW)

    assert titles(edition) == ["best", "good", "fair"]
    assert edition.published_at == make.NOW


def test_publishing_again_changes_nothing() -> None:
    make.paper(title="first", upvotes=1)
    editions.publish(make.TODAY, at=make.NOW)
    make.paper(title="late", upvotes=100)

    again = editions.publish(make.TODAY, at=make.NOW + timedelta(hours=1))

    assert titles(again) == ["first"]
    assert again.published_at == make.NOW


def test_a_paper_enters_one_edition_only() -> None:
    make.paper(title="old", upvotes=50)
    editions.publish(make.TODAY - timedelta(days=1), at=make.NOW - timedelta(hours=2))
    make.paper(title="new", upvotes=1)

    edition = editions.publish(make.TODAY, at=make.NOW)

    assert titles(edition) == ["new"]


def test_without_a_new_paper_there_is_nothing_to_publish() -> None:
    with pytest.raises(editions.NothingToPublish, match="2026-05-12"):
        editions.publish(make.TODAY, at=make.NOW)

    assert not Edition.objects.exists()


def test_figures_are_frozen_with_the_entry() -> None:
    paper = make.paper(topics=["robotics"])
    make.reading(paper=paper, value=10, observed_at=make.NOW - timedelta(days=1))
    make.reading(paper=paper, value=25, observed_at=make.NOW)
    editions.publish(make.TODAY, at=make.NOW)

    make.reading(paper=paper, value=99, observed_at=make.NOW + timedelta(hours=1))
    paper.topics.clear()

    entry = Entry.objects.get()
    assert (entry.upvotes, entry.gain, entry.topic_ranks) == (25, 15, {"robotics": 1})


def test_an_entry_knows_its_place_within_each_topic() -> None:
    make.paper(title="a", topics=["robotics", "speech"], upvotes=30)
    make.paper(title="b", topics=["robotics"], upvotes=20)
    make.paper(title="c", topics=["speech", "robotics"], upvotes=10)

    edition = editions.publish(make.TODAY, at=make.NOW)

    places = {entry.paper.title: entry.topic_ranks for entry in edition.entries.all()}
    assert places == {
        "a": {"robotics": 1, "speech": 1},
        "b": {"robotics": 2},
        "c": {"robotics": 3, "speech": 2},
    }


def test_a_quiet_topic_has_its_best_papers_in_the_edition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(editions, "OVERALL", 2)
    monkeypatch.setattr(editions, "PER_LABEL", 3)
    for number in range(5):
        make.paper(title=f"vision {number}", topics=["vision"], upvotes=100 - number)
    for number in range(5):
        make.paper(title=f"speech {number}", topics=["speech"], upvotes=10 - number)

    edition = editions.publish(make.TODAY, at=make.NOW)

    assert titles(edition) == [
        "vision 0",
        "vision 1",
        "vision 2",
        "speech 0",
        "speech 1",
        "speech 2",
    ]


def test_what_anybody_follows_is_found_also_far_from_the_top(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(editions, "OVERALL", 1)
    monkeypatch.setattr(editions, "PER_LABEL", 2)
    make.subscriber(follows=[("keyword", "state space model", "State space models")])
    make.subscriber(follows=[("author", "noether e", "E. Noether"), ("category", "cs.RO", "cs.RO")])
    make.subscriber(follows=[("keyword", "thing", "thing")], status="left")
    make.paper(title="top", upvotes=90)
    make.paper(title="nobody's", upvotes=80)
    for votes in (7, 6, 5):
        make.paper(title=f"A state-space model, {votes}", upvotes=votes)
    make.paper(title="hers", authors=["Emmy Noether"], upvotes=3)
    make.paper(title="robots", categories=["cs.RO", "cs.LG"], upvotes=2)

    edition = editions.publish(make.TODAY, at=make.NOW)

    assert {entry.paper.title: entry.matched for entry in edition.entries.all()} == {
        "top": [],
        "A state-space model, 7": ["keyword:state space model"],
        "A state-space model, 6": ["keyword:state space model"],
        "hers": ["author:noether e"],
        "robots": ["category:cs.RO"],
    }


def test_in_the_morning_a_list_that_has_just_begun_waits_for_tomorrow() -> None:
    for number in range(editions.FEWEST):
        make.paper(title=f"yesterday {number}", upvotes=5)
    make.paper(title="just listed", listed_on=make.TODAY, upvotes=50)

    assert "just listed" not in titles(
        editions.publish(make.TODAY, at=MORNING + timedelta(hours=2))
    )


def test_with_little_else_to_read_a_new_list_does_not_wait() -> None:
    make.paper(title="just listed", listed_on=make.TODAY, upvotes=50)

    assert titles(editions.publish(make.TODAY, at=make.NOW)) == ["just listed"]


def test_in_the_evening_the_day_s_own_list_is_in() -> None:
    for number in range(editions.FEWEST):
        make.paper(title=f"yesterday {number}", upvotes=5)
    make.paper(title="today", listed_on=make.TODAY, upvotes=50)

    assert titles(editions.publish(make.TODAY, at=EVENING))[0] == "today"


@pytest.mark.parametrize("papers", [1, 3])
def test_publishing_costs_the_same_queries_for_any_number(
    papers: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(papers):
        make.paper(topics=["robotics", "speech"], upvotes=3)
        make.subscriber(follows=[("keyword", "thing", "things"), ("author", "noether e", "Emmy")])

    with django_assert_max_num_queries(18):
        editions.publish(make.TODAY, at=make.NOW)


def test_the_newest_edition_is_today_s_or_yesterday_s_if_young_enough() -> None:
    yesterday = make.edition(day=make.TODAY - timedelta(days=1))

    assert editions.newest(now=datetime(2026, 5, 12, 3, 59, tzinfo=UTC)) == yesterday
    assert editions.newest(now=datetime(2026, 5, 12, 4, 1, tzinfo=UTC)) is None

    today = make.edition()
    assert editions.newest(now=make.NOW) == today


def test_papers_of_an_edition_cannot_be_deleted_under_it() -> None:
    paper = make.paper(upvotes=3)
    editions.publish(make.TODAY, at=make.NOW)

    with pytest.raises(Exception, match="protected"):
        Paper.objects.filter(pk=paper.pk).delete()
