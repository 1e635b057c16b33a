"""The benchmark of the trending score does not look ahead, and its metrics are correct."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from benchmarks import trending
from benchmarks.trending import Archive, PaperSnapshot, UpvoteReading

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def build_archive(*readings: UpvoteReading) -> Archive:
    return Archive({"2605.00001": NOW - 5 * HOUR}, {"2605.00001": readings})


def test_a_snapshot_has_the_newest_reading_and_no_later_one():
    archive = build_archive(
        UpvoteReading(NOW - 2 * HOUR, 5),
        UpvoteReading(NOW - HOUR, 7),
        UpvoteReading(NOW + HOUR, 90),
    )

    assert archive.snapshot("2605.00001", NOW, max_age=DAY) == PaperSnapshot(7, NOW - 5 * HOUR, NOW)


def test_a_paper_without_a_reading_up_to_the_moment_is_not_ranked():
    archive = build_archive(UpvoteReading(NOW + HOUR, 90), UpvoteReading(NOW + 7 * DAY, 200))

    assert list(trending.cases_a_week_later(archive, ["2605.00001"], NOW)) == []


def test_a_paper_is_judged_by_the_reading_nearest_to_a_week_later():
    archive = build_archive(
        UpvoteReading(NOW - HOUR, 7),
        UpvoteReading(NOW + DAY, 90),
        UpvoteReading(NOW + 6 * DAY, 100),
        UpvoteReading(NOW + 9 * DAY, 110),
    )

    assert [case.target for case in trending.cases_a_week_later(archive, ["2605.00001"], NOW)] == [
        100
    ]


def test_the_ideal_ranking_has_an_ndcg_of_one_and_the_worst_less():
    assert trending.ndcg([9, 5, 1, 0], k=2) == 1
    assert trending.ndcg([0, 1, 5, 9], k=2) < 0.5


def test_precision_includes_ties_with_the_last_place():
    assert trending.precision_at_k([3, 5, 5, 5], k=2) == pytest.approx(0.5)


def test_the_order_of_the_input_does_not_influence_the_result():
    cases = [trending.Case(PaperSnapshot(0, NOW, NOW), upvotes) for upvotes in range(40, 0, -1)]

    result = trending.evaluate({"2026-05-12": cases}, trending.random_baseline)

    assert result[2][0] < 0.4  # precision@5, which would be 1 in the order of the input
