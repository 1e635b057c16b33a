"""Readings are added, never changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from papers import catalogue, readings
from papers.models import Reading
from tests.make import NOW
from tests.papers.records import record

pytestmark = pytest.mark.django_db


def kept() -> list[tuple[str, str, int, datetime]]:
    rows = Reading.objects.order_by("observed_at", "paper__arxiv_id", "source")
    return list(rows.values_list("paper__arxiv_id", "source", "value", "observed_at"))


def test_each_figure_that_is_told_is_a_reading():
    told = record(upvotes=5, comments=0, stars=None)
    catalogue.add([told])

    assert readings.observe([told], observed_at=NOW) == 2
    assert kept() == [
        (told.arxiv_id, "huggingface-comments", 0, NOW),
        (told.arxiv_id, "huggingface-upvotes", 5, NOW),
    ]


def test_every_kind_of_reading_is_a_figure_of_a_record():
    assert set(readings.FIGURES) == set(Reading.Source)


def test_observing_the_same_moment_twice_changes_nothing():
    told = record(upvotes=5)
    catalogue.add([told])
    readings.observe([told], observed_at=NOW)

    assert readings.observe([replace(told, upvotes=9)], observed_at=NOW) == 0
    assert [value for _, _, value, _ in kept()] == [5]


def test_a_later_moment_is_another_reading_and_may_be_lower():
    told = record(upvotes=5)
    catalogue.add([told])
    readings.observe([told], observed_at=NOW)

    assert readings.observe([replace(told, upvotes=4)], observed_at=NOW + timedelta(hours=1)) == 1
    assert [value for _, _, value, _ in kept()] == [5, 4]


def test_a_negative_figure_and_an_unknown_paper_are_passed_over():
    known, unknown = record(upvotes=-1), record()
    catalogue.add([known])

    assert readings.observe([known, unknown], observed_at=NOW) == 0


def test_a_day_takes_as_few_queries_as_a_paper(django_assert_num_queries):
    records = [record(comments=1, stars=2) for _ in range(50)]
    catalogue.add(records)

    with django_assert_num_queries(3):
        readings.observe(records[:1], observed_at=NOW)
    with django_assert_num_queries(3):
        assert readings.observe(records, observed_at=NOW + timedelta(hours=1)) == 150


def test_a_live_reading_is_of_its_hour():
    assert readings.hour_of(datetime(2026, 5, 12, 6, 59, 59, 7, tzinfo=UTC)) == NOW
