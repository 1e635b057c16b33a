"""newsletter/editions/publish.py"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.editions import publish
from newsletter.models import Edition, Entry
from papers.models import Paper
from tests import factories

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 5, 12, 4, 0, tzinfo=UTC)
EVENING = publish.end_of_day(factories.TODAY)


def titles(edition: Edition) -> list[str]:
    return list(edition.entries.order_by("rank").values_list("paper__title", flat=True))


def test_an_edition_holds_the_day_s_papers_best_first() -> None:
    for title, upvotes in [("good", 20), ("best", 50), ("fair", 5)]:
        factories.paper(title=title, upvotes=upvotes)

    edition = publish.publish_edition(factories.TODAY, at=factories.NOW)

    assert titles(edition) == ["best", "good", "fair"]
    assert edition.published_at == factories.NOW


def test_publishing_again_returns_the_same_edition() -> None:
    factories.paper(title="first", upvotes=1)
    publish.publish_edition(factories.TODAY, at=factories.NOW)
    factories.paper(title="late", upvotes=100)

    edition = publish.publish_edition(factories.TODAY, at=factories.NOW + timedelta(hours=1))

    assert titles(edition) == ["first"]
    assert edition.published_at == factories.NOW


def test_a_paper_enters_one_edition_only() -> None:
    factories.paper(title="old", upvotes=50)
    publish.publish_edition(
        factories.TODAY - timedelta(days=1), at=factories.NOW - timedelta(hours=2)
    )
    factories.paper(title="new", upvotes=1)

    edition = publish.publish_edition(factories.TODAY, at=factories.NOW)

    assert titles(edition) == ["new"]


def test_without_a_new_paper_there_is_nothing_to_publish() -> None:
    with pytest.raises(publish.NothingToPublishError, match="2026-05-12"):
        publish.publish_edition(factories.TODAY, at=factories.NOW)

    assert not Edition.objects.exists()


def test_an_entry_keeps_the_figures_of_the_moment_of_publishing() -> None:
    paper = factories.paper(topics=["robotics"])
    factories.reading(paper=paper, value=10, observed_at=factories.NOW - timedelta(days=1))
    factories.reading(paper=paper, value=25, observed_at=factories.NOW)
    publish.publish_edition(factories.TODAY, at=factories.NOW)

    factories.reading(paper=paper, value=99, observed_at=factories.NOW + timedelta(hours=1))
    paper.topics.clear()

    entry = Entry.objects.get()
    assert (entry.upvotes, entry.gain, entry.topic_ranks) == (25, 15, {"robotics": 1})


def test_an_entry_has_its_rank_within_each_topic() -> None:
    factories.paper(title="a", topics=["robotics", "speech"], upvotes=30)
    factories.paper(title="b", topics=["robotics"], upvotes=20)
    factories.paper(title="c", topics=["speech", "robotics"], upvotes=10)

    edition = publish.publish_edition(factories.TODAY, at=factories.NOW)

    ranks = {entry.paper.title: entry.topic_ranks for entry in edition.entries.all()}
    assert ranks == {
        "a": {"robotics": 1, "speech": 1},
        "b": {"robotics": 2},
        "c": {"robotics": 3, "speech": 2},
    }


def test_a_quiet_topic_has_its_best_papers_in_the_edition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publish, "MAX_OVERALL", 2)
    monkeypatch.setattr(publish, "MAX_PER_LABEL", 3)
    for number in range(5):
        factories.paper(title=f"vision {number}", topics=["vision"], upvotes=100 - number)
    for number in range(5):
        factories.paper(title=f"speech {number}", topics=["speech"], upvotes=10 - number)

    edition = publish.publish_edition(factories.TODAY, at=factories.NOW)

    assert titles(edition) == [
        "vision 0",
        "vision 1",
        "vision 2",
        "speech 0",
        "speech 1",
        "speech 2",
    ]


def test_a_paper_that_somebody_follows_is_in_the_edition_whatever_its_rank(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publish, "MAX_OVERALL", 1)
    monkeypatch.setattr(publish, "MAX_PER_LABEL", 2)
    factories.subscriber(follows=[("keyword", "state space model", "State space models")])
    factories.subscriber(
        follows=[("author", "noether e", "E. Noether"), ("category", "cs.RO", "cs.RO")]
    )
    factories.subscriber(follows=[("keyword", "thing", "thing")], status="left")
    factories.paper(title="top", upvotes=90)
    factories.paper(title="nobody's", upvotes=80)
    for upvotes in (7, 6, 5):
        factories.paper(title=f"A state-space model, {upvotes}", upvotes=upvotes)
    factories.paper(title="hers", authors=["Emmy Noether"], upvotes=3)
    factories.paper(title="robots", categories=["cs.RO", "cs.LG"], upvotes=2)

    edition = publish.publish_edition(factories.TODAY, at=factories.NOW)

    assert {entry.paper.title: entry.matched for entry in edition.entries.all()} == {
        "top": [],
        "A state-space model, 7": ["keyword:state space model"],
        "A state-space model, 6": ["keyword:state space model"],
        "hers": ["author:noether e"],
        "robots": ["category:cs.RO"],
    }


def test_in_the_morning_a_paper_that_was_just_listed_waits_for_the_next_edition() -> None:
    for number in range(publish.MIN_PAPERS_WITHOUT_RECENT):
        factories.paper(title=f"yesterday {number}", upvotes=5)
    factories.paper(title="just listed", listed_on=factories.TODAY, upvotes=50)

    assert "just listed" not in titles(
        publish.publish_edition(factories.TODAY, at=MORNING + timedelta(hours=2))
    )


def test_with_too_few_papers_a_paper_that_was_just_listed_does_not_wait() -> None:
    factories.paper(title="just listed", listed_on=factories.TODAY, upvotes=50)

    assert titles(publish.publish_edition(factories.TODAY, at=factories.NOW)) == ["just listed"]


def test_in_the_evening_papers_listed_on_the_day_are_in_the_edition() -> None:
    for number in range(publish.MIN_PAPERS_WITHOUT_RECENT):
        factories.paper(title=f"yesterday {number}", upvotes=5)
    factories.paper(title="today", listed_on=factories.TODAY, upvotes=50)

    assert titles(publish.publish_edition(factories.TODAY, at=EVENING))[0] == "today"


@pytest.mark.parametrize("papers", [1, 3])
def test_publishing_costs_the_same_queries_for_any_number(
    papers: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(papers):
        factories.paper(topics=["robotics", "speech"], upvotes=3)
        factories.subscriber(
            follows=[("keyword", "thing", "things"), ("author", "noether e", "Emmy")]
        )

    with django_assert_max_num_queries(18):
        publish.publish_edition(factories.TODAY, at=factories.NOW)


def test_the_current_edition_is_yesterday_s_only_until_publishing_time() -> None:
    yesterday = factories.edition(day=factories.TODAY - timedelta(days=1))

    assert publish.current_edition(now=datetime(2026, 5, 12, 3, 59, tzinfo=UTC)) == yesterday
    assert publish.current_edition(now=datetime(2026, 5, 12, 4, 1, tzinfo=UTC)) is None

    today = factories.edition()
    assert publish.current_edition(now=factories.NOW) == today


def test_a_paper_of_an_edition_cannot_be_deleted() -> None:
    paper = factories.paper(upvotes=3)
    publish.publish_edition(factories.TODAY, at=factories.NOW)

    with pytest.raises(Exception, match="protected"):
        Paper.objects.filter(pk=paper.pk).delete()
