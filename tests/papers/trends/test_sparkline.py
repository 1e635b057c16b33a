"""The points of a sparkline."""

from __future__ import annotations

from datetime import datetime, timedelta

from papers.trends import sparkline
from tests.factories import NOW


def observations(*values: int) -> list[tuple[datetime, int]]:
    return [(NOW + timedelta(hours=6 * index), value) for index, value in enumerate(values)]


def test_the_line_spans_the_box_from_the_first_observation_to_the_last() -> None:
    line = sparkline.points(observations(0, 5, 10), width=100, height=40)

    assert line == [(0, 40), (50, 20), (100, 0)]


def test_a_small_gain_does_not_look_steep() -> None:
    line = sparkline.points(observations(80, 80, 100), width=100, height=40)

    assert [y for _, y in line] == [8, 8, 0]


def test_two_observations_make_no_line() -> None:
    assert sparkline.points(observations(1, 9), width=100, height=40) == []


def test_equal_values_make_no_line() -> None:
    assert sparkline.points(observations(7, 7, 7), width=100, height=40) == []


def test_no_observations_make_no_line() -> None:
    assert sparkline.points([], width=100, height=40) == []
