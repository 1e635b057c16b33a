"""Pace the calls to a source across all workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from papers import pacing
from papers.sources import SourceUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTurns:
    """The turns of a source that wants so much time between any two questions of ours."""

    name: str
    title: str
    gap: timedelta
    clock: Callable[[], datetime] = timezone.now

    def wait(self, patience: float) -> None:
        """Sleep until it is our turn; SourceUnavailable if that takes longer than the seconds."""
        now = self.clock()
        latest = now + timedelta(seconds=patience)
        start = pacing.reserve(self.name, lasting=self.gap, now=now, latest=latest)
        if start is None:
            raise SourceUnavailable(
                f"{self.title} must not be asked yet: others of us have the next turns, or it asked "
                "to be left alone."
            )
        time.sleep((start - now).total_seconds())

    def hold(self, seconds: float) -> None:
        """It asked to be left alone so long, whoever asks."""
        pacing.hold(self.name, until=self.clock() + timedelta(seconds=seconds))
