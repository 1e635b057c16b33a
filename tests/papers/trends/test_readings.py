"""Readings are added, never changed; old ones are thinned out."""

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


def stored_readings() -> list[tuple[str, str, int, datetime]]:
    rows = Reading.objects.order_by("observed_at", "paper__arxiv_id", "source")
    return list(rows.values_list("paper__arxiv_id", "source", "value", "observed_at"))


def stored(*records: Record) -> list[tuple[Record, int]]:
    return upsert_records(records).stored


def test_each_reported_metric_becomes_a_reading():
    incoming = record(upvotes=5, comments=0, stars=None)

    assert readings.record_readings(stored(incoming), observed_at=NOW) == 2
    assert stored_readings() == [
        (incoming.arxiv_id, "huggingface-comments", 0, NOW),
        (incoming.arxiv_id, "huggingface-upvotes", 5, NOW),
    ]


def test_citations_become_readings_too():
    incoming = record(upvotes=None, citations=7, influential_citations=2, cited_by=9)

    assert readings.record_readings(stored(incoming), observed_at=NOW) == 3
    assert [(source, value) for _, source, value, _ in stored_readings()] == [
        ("openalex-citations", 9),
        ("semanticscholar-citations", 7),
        ("semanticscholar-influential", 2),
    ]


def test_every_metric_has_a_field_of_a_record():
    assert set(readings.METRIC_FIELDS) == set(Reading.Metric)


def test_recording_a_moment_twice_changes_nothing():
    [(incoming, paper_id)] = stored(record(upvotes=5))
    readings.record_readings([(incoming, paper_id)], observed_at=NOW)

    assert (
        readings.record_readings([(replace(incoming, upvotes=9), paper_id)], observed_at=NOW) == 0
    )
    assert [value for _, _, value, _ in stored_readings()] == [5]


def test_a_later_reading_is_added_and_can_be_lower():
    [(incoming, paper_id)] = stored(record(upvotes=5))
    readings.record_readings([(incoming, paper_id)], observed_at=NOW)
    later, lower = NOW + timedelta(hours=1), [(replace(incoming, upvotes=4), paper_id)]

    assert readings.record_readings(lower, observed_at=later) == 1
    assert [value for _, _, value, _ in stored_readings()] == [5, 4]


def test_a_negative_value_is_ignored():
    assert readings.record_readings(stored(record(upvotes=-1)), observed_at=NOW) == 0


def test_fifty_papers_take_the_same_queries_as_one(django_assert_num_queries):
    pairs = stored(*(record(comments=1, stars=2) for _ in range(50)))

    with django_assert_num_queries(2):
        readings.record_readings(pairs[:1], observed_at=NOW)
    with django_assert_num_queries(2):
        assert readings.record_readings(pairs, observed_at=NOW + timedelta(hours=1)) == 150


def test_a_live_reading_is_truncated_to_its_hour():
    assert readings.truncate_to_hour(datetime(2026, 5, 12, 6, 59, 59, 7, tzinfo=UTC)) == NOW


def weeks_before_now(weeks_ago: float) -> datetime:
    return NOW - timedelta(weeks=weeks_ago)


def test_the_last_reading_of_each_old_week_and_the_very_first_stay():
    paper = factories.paper()
    for weeks_ago in (20.6, 20.5, 20.4, 19.5, 19.4, 1.2, 1.1):
        factories.reading(
            paper=paper, observed_at=weeks_before_now(weeks_ago), value=int(weeks_ago * 10)
        )
    factories.reading(paper=factories.paper(), observed_at=weeks_before_now(20.5), value=5)

    assert readings.downsample(before=weeks_before_now(13)) == 2
    remaining = Reading.objects.filter(paper=paper).order_by("observed_at")
    assert list(remaining.values_list("value", flat=True)) == [206, 204, 194, 12, 11]
    assert Reading.objects.count() == 6
    assert readings.downsample(before=weeks_before_now(13)) == 0


def test_each_metric_is_thinned_out_separately():
    paper = factories.paper()
    for source in Reading.Metric:
        for hour in range(3):
            moment = weeks_before_now(20) + timedelta(hours=hour)
            factories.reading(paper=paper, observed_at=moment, source=source)

    assert readings.downsample(before=weeks_before_now(13)) == len(Reading.Metric)


def test_thinning_out_takes_the_same_queries_for_many_papers(django_assert_num_queries):
    factories.reading(paper=factories.paper(), observed_at=weeks_before_now(20))
    with django_assert_num_queries(2):
        readings.downsample(before=weeks_before_now(13))

    for _ in range(3):
        factories.reading(paper=factories.paper(), observed_at=weeks_before_now(20))
    with django_assert_num_queries(2):
        readings.downsample(before=weeks_before_now(13))
