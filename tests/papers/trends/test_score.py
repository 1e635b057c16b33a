"""A score grows with upvotes and falls with age."""

from __future__ import annotations

from datetime import timedelta

import pytest

from papers.trends.score import AGE_OFFSET, trending_score

DAY = timedelta(days=1)


def test_a_new_paper_scores_as_if_its_upvotes_came_in_half_a_day():
    assert trending_score(30, age=timedelta()) == 60


def test_a_score_halves_when_the_paper_is_twice_as_old():
    assert trending_score(50, age=AGE_OFFSET) == pytest.approx(
        trending_score(50, age=timedelta()) / 2
    )


def test_no_upvotes_score_zero():
    assert trending_score(0, age=DAY) == 0


@pytest.mark.parametrize("age", [timedelta(), DAY, 6 * DAY])
def test_more_upvotes_at_equal_age_score_more(age):
    scores = [trending_score(upvotes, age=age) for upvotes in range(200)]

    assert scores == sorted(set(scores))


@pytest.mark.parametrize("upvotes", [1, 30, 1000])
def test_a_younger_paper_with_equal_upvotes_scores_more(upvotes):
    scores = [trending_score(upvotes, age=days * DAY) for days in range(8)]

    assert scores == sorted(set(scores), reverse=True)


def test_a_negative_age_counts_as_zero():
    assert trending_score(10, age=-DAY) == trending_score(10, age=timedelta())


def test_the_example_in_the_documentation():
    examples = [(30, 0), (250, 4), (80, 1), (12, 0)]

    assert [round(trending_score(upvotes, age=days * DAY), 1) for upvotes, days in examples] == [
        60.0,
        55.6,
        53.3,
        24.0,
    ]
