"""A score grows with upvotes and falls with age."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from papers.trending import HALF_LIFE, score

DAY = timedelta(days=1)


def test_a_new_paper_scores_the_logarithm_of_its_upvotes():
    assert score(99, age=timedelta()) == pytest.approx(math.log(100))


def test_a_score_halves_in_its_half_life():
    assert score(50, age=HALF_LIFE) == pytest.approx(score(50, age=timedelta()) / 2)


def test_nothing_scores_nothing():
    assert score(0, age=DAY) == 0


@pytest.mark.parametrize("age", [timedelta(), DAY, 6 * DAY])
def test_of_one_age_more_upvotes_score_more(age):
    scores = [score(upvotes, age=age) for upvotes in range(200)]

    assert scores == sorted(set(scores))


def test_a_paper_of_tomorrow_is_as_new_as_one_of_today():
    assert score(10, age=-DAY) == score(10, age=timedelta())


def test_the_example_of_the_documentation():
    assert round(score(80, age=DAY), 2) == 3.11
    assert round(score(30, age=timedelta()), 2) == 3.43
