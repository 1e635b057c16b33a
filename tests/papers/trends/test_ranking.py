"""A ranking of a moment, from what was known by then."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from papers.models import TRENDING_WINDOW_DAYS, Paper, Reading
from papers.trends import ranking, score
from tests import factories
from tests.factories import NOW, TODAY

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
COMMENTS = Reading.Metric.HUGGINGFACE_COMMENTS
STARS = Reading.Metric.GITHUB_STARS


def read(paper: Paper, value: int, *, ago: timedelta, source: str | None = None) -> None:
    more = {"source": source} if source else {}
    factories.reading(paper=paper, value=value, observed_at=NOW - ago, **more)


def order(at: datetime = NOW) -> list[int]:
    return [each.paper_id for each in ranking.rank(at)]


def test_the_papers_of_a_day_are_in_the_order_of_their_upvotes():
    papers = {upvotes: factories.paper(upvotes=upvotes) for upvotes in (3, 0, 250, 17)}

    assert order() == [papers[upvotes].pk for upvotes in (250, 17, 3, 0)]


def test_a_ranking_says_what_it_was_made_of():
    paper = factories.paper(listed_on=TODAY - timedelta(days=2))
    read(paper, 40, ago=27 * HOUR)
    read(paper, 55, ago=3 * HOUR)
    read(paper, 4, ago=3 * HOUR, source=COMMENTS)
    read(paper, 900, ago=3 * HOUR, source=STARS)

    [ranked] = ranking.rank(NOW)

    assert ranked == ranking.RankedPaper(
        paper_id=paper.pk,
        score=score.trending_score(55, age=timedelta(days=2)),
        upvotes=55,
        comments=4,
        stars=900,
        gain=15,
        listed_on=TODAY - timedelta(days=2),
    )


def test_age_pulls_a_paper_down():
    old = factories.paper(upvotes=20, listed_on=TODAY - timedelta(days=4))
    new = factories.paper(upvotes=8, listed_on=TODAY)

    assert order() == [new.pk, old.pk]


def test_the_hour_of_the_day_changes_no_order():
    first = factories.paper(upvotes=9)
    second = factories.paper(upvotes=8, listed_on=TODAY)

    midnight = NOW.replace(hour=0)
    assert {tuple(order(midnight + hour * HOUR)) for hour in range(6, 24)} == {
        (second.pk, first.pk)
    }


def test_among_equals_the_more_discussed_comes_first_then_the_older_id():
    younger = factories.paper(upvotes=5, arxiv_id="2605.90002")
    older = factories.paper(upvotes=5, arxiv_id="2605.90001")
    discussed = factories.paper(upvotes=5, arxiv_id="2605.90003")
    read(discussed, 3, ago=HOUR, source=COMMENTS)

    assert order() == [discussed.pk, older.pk, younger.pk]


def test_what_was_observed_later_is_not_known():
    paper = factories.paper()
    read(paper, 10, ago=5 * HOUR)
    read(paper, 99, ago=-HOUR)

    [ranked] = ranking.rank(NOW)

    assert ranked.upvotes == 10
    assert ranking.rank(NOW + HOUR)[0].upvotes == 99


def test_a_paper_without_a_reading_has_nothing():
    factories.paper()

    [ranked] = ranking.rank(NOW)

    assert (ranked.score, ranked.upvotes, ranked.comments, ranked.stars) == (0.0, 0, 0, None)


@pytest.mark.parametrize(
    ("listed", "ranked"),
    [(-1, False), (0, True), (TRENDING_WINDOW_DAYS, True), (TRENDING_WINDOW_DAYS + 1, False)],
)
def test_only_the_papers_of_the_last_days_trend(listed, ranked):
    factories.paper(upvotes=5, listed_on=TODAY - timedelta(days=listed))

    assert bool(ranking.rank(NOW)) == ranked


def test_a_list_that_has_barely_begun_can_be_held_back():
    factories.paper(upvotes=50, listed_on=TODAY)
    yesterday = factories.paper(upvotes=5)

    held = ranking.rank(NOW, listed_until=TODAY - timedelta(days=1))

    assert [each.paper_id for each in held] == [yesterday.pk]


def test_no_holding_back_shows_the_future():
    factories.paper(upvotes=50, listed_on=TODAY + timedelta(days=1))

    assert ranking.rank(NOW, listed_until=TODAY + timedelta(days=2)) == []


@pytest.mark.parametrize(
    ("hours", "gain"), [(1, None), (19, None), (20, 7), (24, 7), (36, 7), (37, None)]
)
def test_a_gain_is_counted_from_about_a_day_before(hours, gain):
    paper = factories.paper()
    read(paper, 10, ago=2 * HOUR)
    read(paper, 3, ago=(2 + hours) * HOUR)

    assert ranking.rank(NOW)[0].gain == gain


def test_a_gain_is_counted_from_the_nearest_reading_that_is_a_day_old():
    paper = factories.paper()
    for ago, value in ((0, 30), (10, 25), (21, 20), (24, 15), (30, 10)):
        read(paper, value, ago=ago * HOUR)

    assert ranking.rank(NOW)[0].gain == 10


def test_a_gain_may_be_a_loss():
    paper = factories.paper()
    read(paper, 5, ago=24 * HOUR)
    read(paper, 4, ago=0 * HOUR)

    assert ranking.rank(NOW)[0].gain == -1


def test_each_paper_gains_on_its_own():
    early, late = factories.paper(), factories.paper()
    read(early, 10, ago=50 * HOUR)
    read(early, 12, ago=26 * HOUR)
    read(late, 1, ago=25 * HOUR)
    read(late, 6, ago=1 * HOUR)

    gains = {each.paper_id: each.gain for each in ranking.rank(NOW)}

    assert gains == {early.pk: 2, late.pk: 5}


def test_ranking_takes_two_queries_however_many_papers(django_assert_num_queries):
    factories.paper(upvotes=1)
    with django_assert_num_queries(2):
        ranking.rank(NOW)

    for upvotes in range(30):
        factories.paper(upvotes=upvotes)
    with django_assert_num_queries(2):
        assert len(ranking.rank(NOW)) == 31


def test_apply_writes_the_ranking_to_the_papers():
    paper = factories.paper(upvotes=30)
    read(paper, 2, ago=HOUR, source=COMMENTS)
    read(paper, 7, ago=HOUR, source=STARS)

    assert ranking.save_scores(NOW) == 1

    paper.refresh_from_db()
    assert (paper.upvotes, paper.comments, paper.stars, paper.scored_at) == (30, 2, 7, NOW)
    assert paper.score == pytest.approx(score.trending_score(30, age=timedelta(days=1)))
    assert list(Paper.objects.trending(on=TODAY)) == [paper]


def test_apply_twice_changes_nothing():
    factories.paper(upvotes=30)
    ranking.save_scores(NOW)
    before = list(Paper.objects.values())

    ranking.save_scores(NOW)

    assert list(Paper.objects.values()) == before


def test_a_paper_that_no_longer_trends_loses_its_score_and_keeps_its_figures():
    paper = factories.paper(upvotes=30)
    ranking.save_scores(NOW)

    later = NOW + timedelta(days=30)
    assert ranking.save_scores(later) == 0

    paper.refresh_from_db()
    assert (paper.score, paper.upvotes, paper.scored_at) == (0.0, 30, later)


def test_apply_asks_no_more_for_many_papers(django_assert_num_queries):
    for upvotes in range(40):
        factories.paper(upvotes=upvotes)

    # The savepoint of the test's own transaction is two of them.
    with django_assert_num_queries(8):
        assert ranking.save_scores(NOW) == 40


def test_apply_with_nothing_to_score_is_no_failure():
    assert ranking.save_scores(NOW) == 0
