"""Readings are added, never changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from papers.models import Reading
from papers.sources import Record
from papers.trends import readings
from tests import factories
from tests.factories import NOW
from tests.papers.record_factories import record, upsert_records

pytestmark = pytest.mark.django_db


def kept() -> list[tuple[str, str, int, datetime]]:
    rows = Reading.objects.order_by("observed_at", "paper__arxiv_id", "source")
    return list(rows.values_list("paper__arxiv_id", "source", "value", "observed_at"))


def taken(*records: Record) -> list[tuple[Record, int]]:
    return upsert_records(records).stored


def test_each_figure_that_is_told_is_a_reading():
    told = record(upvotes=5, comments=0, stars=None)

    assert readings.record_readings(taken(told), observed_at=NOW) == 2
    assert kept() == [
        (told.arxiv_id, "huggingface-comments", 0, NOW),
        (told.arxiv_id, "huggingface-upvotes", 5, NOW),
    ]


def test_citations_are_readings_too():
    told = record(upvotes=None, citations=7, influential_citations=2, cited_by=9)

    assert readings.record_readings(taken(told), observed_at=NOW) == 3
    assert [(source, value) for _, source, value, _ in kept()] == [
        ("openalex-citations", 9),
        ("semanticscholar-citations", 7),
        ("semanticscholar-influential", 2),
    ]


def test_every_kind_of_reading_is_a_figure_of_a_record():
    assert set(readings.METRIC_FIELDS) == set(Reading.Metric)


def test_observing_the_same_moment_twice_changes_nothing():
    [(told, paper)] = taken(record(upvotes=5))
    readings.record_readings([(told, paper)], observed_at=NOW)

    assert readings.record_readings([(replace(told, upvotes=9), paper)], observed_at=NOW) == 0
    assert [value for _, _, value, _ in kept()] == [5]


def test_a_later_moment_is_another_reading_and_may_be_lower():
    [(told, paper)] = taken(record(upvotes=5))
    readings.record_readings([(told, paper)], observed_at=NOW)
    later, fewer = NOW + timedelta(hours=1), [(replace(told, upvotes=4), paper)]

    assert readings.record_readings(fewer, observed_at=later) == 1
    assert [value for _, _, value, _ in kept()] == [5, 4]


def test_a_negative_figure_is_passed_over():
    assert readings.record_readings(taken(record(upvotes=-1)), observed_at=NOW) == 0


def test_a_day_takes_as_few_queries_as_a_paper(django_assert_num_queries):
    told = taken(*(record(comments=1, stars=2) for _ in range(50)))

    with django_assert_num_queries(2):
        readings.record_readings(told[:1], observed_at=NOW)
    with django_assert_num_queries(2):
        assert readings.record_readings(told, observed_at=NOW + timedelta(hours=1)) == 150


def test_a_live_reading_is_of_its_hour():
    assert readings.truncate_to_hour(datetime(2026, 5, 12, 6, 59, 59, 7, tzinfo=UTC)) == NOW


def at(weeks_ago: float) -> datetime:
    return NOW - timedelta(weeks=weeks_ago)


def test_of_each_old_week_the_newest_reading_stays_and_the_very_first():
    paper = factories.paper()
    for weeks_ago in (20.6, 20.5, 20.4, 19.5, 19.4, 1.2, 1.1):
        factories.reading(paper=paper, observed_at=at(weeks_ago), value=int(weeks_ago * 10))
    factories.reading(paper=factories.paper(), observed_at=at(20.5), value=5)

    assert readings.downsample(before=at(13)) == 2
    kept = Reading.objects.filter(paper=paper).order_by("observed_at")
    assert list(kept.values_list("value", flat=True)) == [206, 204, 194, 12, 11]
    assert Reading.objects.count() == 6
    assert readings.downsample(before=at(13)) == 0


def test_each_kind_of_reading_is_thinned_by_itself():
    paper = factories.paper()
    for source in Reading.Metric:
        for hour in range(3):
            moment = at(20) + timedelta(hours=hour)
            factories.reading(paper=paper, observed_at=moment, source=source)

    assert readings.downsample(before=at(13)) == len(Reading.Metric)


def test_thinning_asks_as_often_for_one_paper_as_for_many(django_assert_num_queries):
    factories.reading(paper=factories.paper(), observed_at=at(20))
    with django_assert_num_queries(2):
        readings.downsample(before=at(13))

    for _ in range(3):
        factories.reading(paper=factories.paper(), observed_at=at(20))
    with django_assert_num_queries(2):
        readings.downsample(before=at(13))
