"""Whose turn it is to ask a source, among all workers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from papers import pacing
from papers.sources import SourceUnavailableError
from papers.sources.pacing import SourcePacer
from tests.factories import NOW

pytestmark = pytest.mark.django_db

GAP = timedelta(seconds=3)


def take(name: str = "arxiv", *, patience: float | None = None):
    latest = None if patience is None else NOW + timedelta(seconds=patience)
    return pacing.reserve(name, duration=GAP, now=NOW, latest_start=latest)


def test_turns_are_taken_one_after_another():
    assert [take(), take(), take()] == [NOW, NOW + GAP, NOW + 2 * GAP]


def test_each_name_has_turns_of_its_own():
    take("arxiv")

    assert take("openalex") == NOW


def test_a_turn_that_comes_too_late_is_left_to_others():
    take()

    assert take(patience=1) is None
    assert take(patience=5) == NOW + GAP


def test_who_cannot_wait_is_told_so_and_who_can_waits():
    waits = SourcePacer(name="arxiv", title="arXiv", min_interval=timedelta(milliseconds=1))
    waits.acquire(1)
    waits.back_off(60)

    with pytest.raises(SourceUnavailableError, match="arXiv cannot be called yet"):
        waits.acquire(1)
