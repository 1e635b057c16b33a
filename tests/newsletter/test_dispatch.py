"""newsletter/dispatch.py"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter import dispatch
from newsletter.editions import publish
from papers.ingest import schedule
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_source(settings: Any) -> None:
    settings.SOURCES = ["huggingface"]


def record_poll(*, at: datetime) -> None:
    """Record a successful poll of the source."""
    schedule.mark_started("huggingface", now=at)
    schedule.mark_finished("huggingface", now=at, papers=30, error="")


def test_an_edition_is_not_due_before_four_in_the_morning() -> None:
    record_poll(at=datetime(2026, 5, 12, 3, 50, tzinfo=UTC))

    assert not dispatch.publish_is_due(now=datetime(2026, 5, 12, 3, 59, tzinfo=UTC))
    assert dispatch.publish_is_due(now=datetime(2026, 5, 12, 4, 0, tzinfo=UTC))


def test_an_edition_waits_until_the_sources_were_polled() -> None:
    assert not dispatch.publish_is_due(now=factories.NOW)

    record_poll(at=factories.NOW)
    assert dispatch.publish_is_due(now=factories.NOW)


def test_an_edition_is_due_once_a_day() -> None:
    record_poll(at=factories.NOW)
    factories.edition()

    assert not dispatch.publish_is_due(now=factories.NOW)


def test_a_day_without_new_papers_raises() -> None:
    record_poll(at=factories.NOW)

    with pytest.raises(publish.NothingToPublishError):
        dispatch.publish_today(now=factories.NOW)


def test_a_tick_names_the_work_for_workers() -> None:
    record_poll(at=factories.NOW - timedelta(hours=4))
    edition = factories.edition(papers=[factories.paper()])
    for _ in range(2):
        factories.subscriber(next_digest_at=factories.NOW)

    tick = dispatch.run_tick(now=factories.NOW)

    assert tick.counts == {"opened": 2}
    assert tick.pending_by_edition == {edition.pk: 2}
    assert (tick.should_fetch, tick.should_publish) == (True, False)
