"""When a source is due, and what its status keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from papers.ingest import registry, schedule
from papers.models import SourceStatus
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def poll(*, error: str = "") -> None:
    schedule.mark_started("huggingface", now=NOW)
    schedule.mark_finished("huggingface", now=NOW, papers=0 if error else 30, error=error)


POLL_INTERVAL = timedelta(hours=3)


@pytest.fixture(autouse=True)
def one_source(settings):
    settings.SOURCES = ["huggingface"]


def is_due(**later: float) -> bool:
    return schedule.due_sources(now=NOW + timedelta(**later)) == ["huggingface"]


def test_a_source_that_was_never_polled_is_due() -> None:
    assert is_due()


def test_a_source_is_due_after_its_poll_interval() -> None:
    poll()

    assert not is_due(hours=2, minutes=59)
    assert is_due(hours=3)


def test_a_failed_source_is_due_sooner_but_not_at_once() -> None:
    poll(error="Hugging Face could not be reached.")

    assert not is_due(minutes=14)
    assert is_due(minutes=15)


def test_the_backoff_doubles_up_to_the_poll_interval() -> None:
    backoffs = []
    for _ in range(7):
        poll(error="Hugging Face could not be reached.")
        status = SourceStatus.objects.get()
        backoffs.append(
            (schedule.next_poll_at(status, POLL_INTERVAL) - NOW) // timedelta(minutes=1)
        )

    assert backoffs == [15, 30, 60, 120, 180, 180, 180]


def test_a_success_resets_the_backoff() -> None:
    poll(error="Hugging Face could not be reached.")
    poll()
    poll(error="Hugging Face could not be reached.")

    assert is_due(minutes=15)


def test_a_due_source_does_not_wait_for_others(settings, monkeypatch) -> None:
    monkeypatch.setitem(registry.SOURCES, "other", registry.SOURCES["huggingface"])
    settings.SOURCES = ["huggingface", "other", "unknown"]
    poll()

    assert schedule.due_sources(now=NOW) == ["other"]


def test_a_cursor_is_kept() -> None:
    assert schedule.get_cursor("arxiv-oai") == ""

    schedule.mark_started("arxiv-oai", now=NOW)
    schedule.save_cursor("arxiv-oai", "from:2026-05-12")

    assert schedule.get_cursor("arxiv-oai") == "from:2026-05-12"


def test_a_source_is_not_due_while_it_is_polled() -> None:
    poll(error="Hugging Face could not be reached.")
    schedule.mark_started("huggingface", now=NOW + timedelta(minutes=15))

    assert not is_due(minutes=16)


def test_a_failure_keeps_the_data_of_the_last_success() -> None:
    poll()
    schedule.mark_started("huggingface", now=NOW + timedelta(hours=3))
    schedule.mark_finished("huggingface", now=NOW, papers=0, error="x" * 900)

    status = SourceStatus.objects.get()
    assert (status.answered_at, status.papers) == (NOW, 30)
    assert status.error == "x" * 500


def test_listings_are_fresh_after_a_poll_even_if_it_failed() -> None:
    assert not schedule.listings_are_fresh(now=NOW)

    poll(error="Hugging Face could not be reached.")
    assert schedule.listings_are_fresh(now=NOW + POLL_INTERVAL)
    assert not schedule.listings_are_fresh(now=NOW + POLL_INTERVAL + timedelta(seconds=1))
