"""The benchmark of the trend score does not look ahead, and measures what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks import trending
from benchmarks.trending import Archive, PaperSnapshot, UpvoteReading

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def archive(*readings: UpvoteReading) -> Archive:
    return Archive({"2605.00001": NOW - 5 * HOUR}, {"2605.00001": readings})


def test_a_formula_is_given_the_newest_reading_and_none_that_came_later():
    kept = archive(
        UpvoteReading(NOW - 2 * HOUR, 5),
        UpvoteReading(NOW - HOUR, 7),
        UpvoteReading(NOW + HOUR, 90),
    )

    assert kept.snapshot("2605.00001", NOW, max_age=DAY) == PaperSnapshot(7, NOW - 5 * HOUR, NOW)


def test_a_paper_that_was_not_read_by_then_is_not_ranked():
    kept = archive(UpvoteReading(NOW + HOUR, 90), UpvoteReading(NOW + 7 * DAY, 200))

    assert list(trending.cases_a_week_later(kept, ["2605.00001"], NOW)) == []


def test_a_paper_is_judged_by_the_reading_nearest_to_a_week_later():
    kept = archive(
        UpvoteReading(NOW - HOUR, 7),
        UpvoteReading(NOW + DAY, 90),
        UpvoteReading(NOW + 6 * DAY, 100),
        UpvoteReading(NOW + 9 * DAY, 110),
    )

    assert [case.target for case in trending.cases_a_week_later(kept, ["2605.00001"], NOW)] == [100]


def test_the_best_order_has_an_ndcg_of_one_and_the_worst_less():
    assert trending.ndcg([9, 5, 1, 0], k=2) == 1
    assert trending.ndcg([0, 1, 5, 9], k=2) < 0.5


def test_precision_counts_what_ties_with_the_last_place_too():
    assert trending.precision_at_k([3, 5, 5, 5], k=2) == pytest.approx(0.5)


def test_the_order_in_which_papers_come_gives_nothing_away():
    cases = [trending.Case(PaperSnapshot(0, NOW, NOW), later) for later in range(40, 0, -1)]

    result = trending.evaluate({"2026-05-12": cases}, trending.random_baseline)

    assert result[2][0] < 0.4  # precision@5, which is 1 in the order given
