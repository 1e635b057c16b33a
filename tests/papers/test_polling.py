"""papers/polling.py"""

from __future__ import annotations

from datetime import timedelta

import pytest

from papers import polling
from papers.models import SourceStatus
from tests.make import NOW

pytestmark = pytest.mark.django_db


def asked(*, error: str = "") -> None:
    polling.started("huggingface", now=NOW)
    polling.ended("huggingface", now=NOW, papers=0 if error else 30, error=error)


def test_a_source_that_was_never_asked_is_due() -> None:
    assert polling.is_due(now=NOW)


def test_a_source_is_asked_every_few_hours() -> None:
    asked()

    assert not polling.is_due(now=NOW + timedelta(hours=2, minutes=59))
    assert polling.is_due(now=NOW + timedelta(hours=3))


def test_a_source_that_failed_is_asked_again_sooner_and_not_at_every_tick() -> None:
    asked(error="Hugging Face could not be reached.")

    assert not polling.is_due(now=NOW + timedelta(minutes=14))
    assert polling.is_due(now=NOW + timedelta(minutes=15))


def test_while_a_source_is_being_asked_it_is_not_due() -> None:
    asked(error="Hugging Face could not be reached.")
    polling.started("huggingface", now=NOW + timedelta(minutes=15))

    assert not polling.is_due(now=NOW + timedelta(minutes=16))


def test_a_failure_keeps_what_is_known_of_the_last_success() -> None:
    asked()
    polling.started("huggingface", now=NOW + timedelta(hours=3))
    polling.ended("huggingface", now=NOW, papers=0, error="x" * 900)

    status = SourceStatus.objects.get()
    assert (status.answered_at, status.papers) == (NOW, 30)
    assert status.error == "x" * 500


def test_having_been_asked_counts_whatever_the_answer() -> None:
    assert not polling.were_asked(since=NOW)

    asked(error="Hugging Face could not be reached.")
    assert polling.were_asked(since=NOW)
    assert not polling.were_asked(since=NOW + timedelta(seconds=1))
