"""papers/ingest/schedule.py"""

from __future__ import annotations

from datetime import timedelta

import pytest

from papers.ingest import registry, schedule
from papers.models import SourceStatus
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def asked(*, error: str = "") -> None:
    schedule.mark_started("huggingface", now=NOW)
    schedule.mark_finished("huggingface", now=NOW, papers=0 if error else 30, error=error)


EVERY = timedelta(hours=3)


@pytest.fixture(autouse=True)
def one_source(settings):
    settings.SOURCES = ["huggingface"]


def is_due(**later: float) -> bool:
    return schedule.due_sources(now=NOW + timedelta(**later)) == ["huggingface"]


def test_a_source_that_was_never_asked_is_due() -> None:
    assert is_due()


def test_a_source_is_asked_every_few_hours() -> None:
    asked()

    assert not is_due(hours=2, minutes=59)
    assert is_due(hours=3)


def test_a_source_that_failed_is_asked_again_sooner_and_not_at_every_tick() -> None:
    asked(error="Hugging Face could not be reached.")

    assert not is_due(minutes=14)
    assert is_due(minutes=15)


def test_a_source_that_goes_on_failing_is_left_alone_for_longer_but_not_for_ever() -> None:
    waits = []
    for _ in range(7):
        asked(error="Hugging Face could not be reached.")
        status = SourceStatus.objects.get()
        waits.append((schedule.next_poll_at(status, EVERY) - NOW) // timedelta(minutes=1))

    assert waits == [15, 30, 60, 120, 180, 180, 180]


def test_an_answer_ends_the_waiting() -> None:
    asked(error="Hugging Face could not be reached.")
    asked()
    asked(error="Hugging Face could not be reached.")

    assert is_due(minutes=15)


def test_one_that_is_due_waits_for_no_other(settings, monkeypatch) -> None:
    monkeypatch.setitem(registry.SOURCES, "other", registry.SOURCES["huggingface"])
    settings.SOURCES = ["huggingface", "other", "never heard of"]
    asked()

    assert schedule.due_sources(now=NOW) == ["other"]


def test_a_fetch_goes_on_where_the_last_one_stopped() -> None:
    assert schedule.get_cursor("arxiv-oai") == ""

    schedule.mark_started("arxiv-oai", now=NOW)
    schedule.save_cursor("arxiv-oai", "from:2026-05-12")

    assert schedule.get_cursor("arxiv-oai") == "from:2026-05-12"


def test_while_a_source_is_being_asked_it_is_not_due() -> None:
    asked(error="Hugging Face could not be reached.")
    schedule.mark_started("huggingface", now=NOW + timedelta(minutes=15))

    assert not is_due(minutes=16)


def test_a_failure_keeps_what_is_known_of_the_last_success() -> None:
    asked()
    schedule.mark_started("huggingface", now=NOW + timedelta(hours=3))
    schedule.mark_finished("huggingface", now=NOW, papers=0, error="x" * 900)

    status = SourceStatus.objects.get()
    assert (status.answered_at, status.papers) == (NOW, 30)
    assert status.error == "x" * 500


def test_an_edition_waits_for_the_list_of_what_is_new_whatever_it_answers() -> None:
    assert not schedule.listings_are_fresh(now=NOW)

    asked(error="Hugging Face could not be reached.")
    assert schedule.listings_are_fresh(now=NOW + EVERY)
    assert not schedule.listings_are_fresh(now=NOW + EVERY + timedelta(seconds=1))
