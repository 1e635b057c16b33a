from __future__ import annotations

from datetime import timedelta

from papers.trends import sparkline
from tests.factories import NOW


def observed(*values: int) -> list:
    return [(NOW + timedelta(hours=6 * index), value) for index, value in enumerate(values)]


def test_the_line_goes_from_the_first_moment_to_the_last_above_zero() -> None:
    line = sparkline.points(observed(0, 5, 10), width=100, height=40)

    assert line == [(0, 40), (50, 20), (100, 0)]


def test_a_small_gain_does_not_look_steep() -> None:
    line = sparkline.points(observed(80, 80, 100), width=100, height=40)

    assert [y for _, y in line] == [8, 8, 0]


def test_two_observations_make_no_line() -> None:
    assert sparkline.points(observed(1, 9), width=100, height=40) == []


def test_attention_that_never_changed_makes_no_line() -> None:
    assert sparkline.points(observed(7, 7, 7), width=100, height=40) == []


def test_no_observation_makes_no_line() -> None:
    assert sparkline.points([], width=100, height=40) == []
