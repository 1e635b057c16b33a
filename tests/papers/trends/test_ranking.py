"""The ranking of a moment, from the readings up to it."""

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


def add_reading(paper: Paper, value: int, *, ago: timedelta, source: str | None = None) -> None:
    fields = {"source": source} if source else {}
    factories.reading(paper=paper, value=value, observed_at=NOW - ago, **fields)


def ranked_ids(as_of: datetime = NOW) -> list[int]:
    return [paper.paper_id for paper in ranking.rank(as_of)]


def test_the_papers_of_a_day_are_ordered_by_upvotes():
    papers = {upvotes: factories.paper(upvotes=upvotes) for upvotes in (3, 0, 250, 17)}

    assert ranked_ids() == [papers[upvotes].pk for upvotes in (250, 17, 3, 0)]


def test_a_ranked_paper_has_its_metrics_and_gain():
    paper = factories.paper(listed_on=TODAY - timedelta(days=2))
    add_reading(paper, 40, ago=27 * HOUR)
    add_reading(paper, 55, ago=3 * HOUR)
    add_reading(paper, 4, ago=3 * HOUR, source=COMMENTS)
    add_reading(paper, 900, ago=3 * HOUR, source=STARS)

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


def test_an_older_paper_ranks_lower():
    old = factories.paper(upvotes=20, listed_on=TODAY - timedelta(days=4))
    new = factories.paper(upvotes=8, listed_on=TODAY)

    assert ranked_ids() == [new.pk, old.pk]


def test_the_hour_of_the_day_does_not_change_the_order():
    first = factories.paper(upvotes=9)
    second = factories.paper(upvotes=8, listed_on=TODAY)

    midnight = NOW.replace(hour=0)
    assert {tuple(ranked_ids(midnight + hour * HOUR)) for hour in range(6, 24)} == {
        (second.pk, first.pk)
    }


def test_equal_scores_are_ordered_by_comments_then_by_id():
    younger = factories.paper(upvotes=5, arxiv_id="2605.90002")
    older = factories.paper(upvotes=5, arxiv_id="2605.90001")
    discussed = factories.paper(upvotes=5, arxiv_id="2605.90003")
    add_reading(discussed, 3, ago=HOUR, source=COMMENTS)

    assert ranked_ids() == [discussed.pk, older.pk, younger.pk]


def test_later_readings_are_ignored():
    paper = factories.paper()
    add_reading(paper, 10, ago=5 * HOUR)
    add_reading(paper, 99, ago=-HOUR)

    [ranked] = ranking.rank(NOW)

    assert ranked.upvotes == 10
    assert ranking.rank(NOW + HOUR)[0].upvotes == 99


def test_a_paper_without_readings_scores_zero():
    factories.paper()

    [ranked] = ranking.rank(NOW)

    assert (ranked.score, ranked.upvotes, ranked.comments, ranked.stars) == (0.0, 0, 0, None)


@pytest.mark.parametrize(
    ("days_ago", "is_ranked"),
    [(-1, False), (0, True), (TRENDING_WINDOW_DAYS, True), (TRENDING_WINDOW_DAYS + 1, False)],
)
def test_only_papers_in_the_trending_window_are_ranked(days_ago, is_ranked):
    factories.paper(upvotes=5, listed_on=TODAY - timedelta(days=days_ago))

    assert bool(ranking.rank(NOW)) == is_ranked


def test_papers_of_an_unfinished_day_can_be_left_out():
    factories.paper(upvotes=50, listed_on=TODAY)
    yesterday = factories.paper(upvotes=5)

    ranked = ranking.rank(NOW, listed_until=TODAY - timedelta(days=1))

    assert [paper.paper_id for paper in ranked] == [yesterday.pk]


def test_papers_of_the_future_are_never_ranked():
    factories.paper(upvotes=50, listed_on=TODAY + timedelta(days=1))

    assert ranking.rank(NOW, listed_until=TODAY + timedelta(days=2)) == []


@pytest.mark.parametrize(
    ("hours", "gain"), [(1, None), (19, None), (20, 7), (24, 7), (36, 7), (37, None)]
)
def test_a_gain_is_measured_from_about_a_day_before(hours, gain):
    paper = factories.paper()
    add_reading(paper, 10, ago=2 * HOUR)
    add_reading(paper, 3, ago=(2 + hours) * HOUR)

    assert ranking.rank(NOW)[0].gain == gain


def test_a_gain_is_measured_from_the_nearest_reading_in_its_window():
    paper = factories.paper()
    for ago, value in ((0, 30), (10, 25), (21, 20), (24, 15), (30, 10)):
        add_reading(paper, value, ago=ago * HOUR)

    assert ranking.rank(NOW)[0].gain == 10


def test_a_gain_can_be_negative():
    paper = factories.paper()
    add_reading(paper, 5, ago=24 * HOUR)
    add_reading(paper, 4, ago=0 * HOUR)

    assert ranking.rank(NOW)[0].gain == -1


def test_each_gain_is_measured_from_the_papers_own_newest_reading():
    early, late = factories.paper(), factories.paper()
    add_reading(early, 10, ago=50 * HOUR)
    add_reading(early, 12, ago=26 * HOUR)
    add_reading(late, 1, ago=25 * HOUR)
    add_reading(late, 6, ago=1 * HOUR)

    gains = {paper.paper_id: paper.gain for paper in ranking.rank(NOW)}

    assert gains == {early.pk: 2, late.pk: 5}


def test_ranking_takes_two_queries_for_any_number_of_papers(django_assert_num_queries):
    factories.paper(upvotes=1)
    with django_assert_num_queries(2):
        ranking.rank(NOW)

    for upvotes in range(30):
        factories.paper(upvotes=upvotes)
    with django_assert_num_queries(2):
        assert len(ranking.rank(NOW)) == 31


def test_save_scores_writes_the_ranking_to_the_papers():
    paper = factories.paper(upvotes=30)
    add_reading(paper, 2, ago=HOUR, source=COMMENTS)
    add_reading(paper, 7, ago=HOUR, source=STARS)

    assert ranking.save_scores(NOW) == 1

    paper.refresh_from_db()
    assert (paper.upvotes, paper.comments, paper.stars, paper.scored_at) == (30, 2, 7, NOW)
    assert paper.score == pytest.approx(score.trending_score(30, age=timedelta(days=1)))
    assert list(Paper.objects.trending(on=TODAY)) == [paper]


def test_saving_scores_twice_changes_nothing():
    factories.paper(upvotes=30)
    ranking.save_scores(NOW)
    before = list(Paper.objects.values())

    ranking.save_scores(NOW)

    assert list(Paper.objects.values()) == before


def test_a_paper_that_no_longer_trends_loses_its_score_and_keeps_its_metrics():
    paper = factories.paper(upvotes=30)
    ranking.save_scores(NOW)

    later = NOW + timedelta(days=30)
    assert ranking.save_scores(later) == 0

    paper.refresh_from_db()
    assert (paper.score, paper.upvotes, paper.scored_at) == (0.0, 30, later)


def test_saving_scores_takes_the_same_queries_for_many_papers(django_assert_num_queries):
    for upvotes in range(40):
        factories.paper(upvotes=upvotes)

    # The savepoint of the test's own transaction is two of them.
    with django_assert_num_queries(8):
        assert ranking.save_scores(NOW) == 40


def test_saving_scores_without_papers_is_no_error():
    assert ranking.save_scores(NOW) == 0
