"""Time slots for outbound calls, shared by all workers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from papers import pacing
from papers.sources import SourceUnavailableError
from papers.sources.pacing import SourcePacer
from tests.factories import NOW

pytestmark = pytest.mark.django_db

GAP = timedelta(seconds=3)


def reserve(name: str = "arxiv", *, max_wait_seconds: float | None = None) -> datetime | None:
    latest = None if max_wait_seconds is None else NOW + timedelta(seconds=max_wait_seconds)
    return pacing.reserve(name, duration=GAP, now=NOW, latest_start=latest)


def test_slots_follow_one_another():
    assert [reserve(), reserve(), reserve()] == [NOW, NOW + GAP, NOW + 2 * GAP]


def test_each_server_has_its_own_slots():
    reserve("arxiv")

    assert reserve("openalex") == NOW


def test_a_slot_that_begins_too_late_is_not_reserved():
    reserve()

    assert reserve(max_wait_seconds=1) is None
    assert reserve(max_wait_seconds=5) == NOW + GAP


def test_a_wait_that_is_too_long_is_an_error():
    pacer = SourcePacer(name="arxiv", title="arXiv", min_interval=timedelta(milliseconds=1))
    pacer.acquire(1)
    pacer.back_off(60)

    with pytest.raises(SourceUnavailableError, match="arXiv cannot be called yet"):
        pacer.acquire(1)
