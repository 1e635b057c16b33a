"""Pace the calls to a source across all workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from papers import pacing
from papers.sources import SourceUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePacer:
    """The turns of a source that wants so much time between any two questions of ours."""

    name: str
    title: str
    min_interval: timedelta
    clock: Callable[[], datetime] = timezone.now

    def acquire(self, timeout_seconds: float) -> None:
        """Sleep until it is our turn; SourceUnavailable if that takes longer than the seconds."""
        now = self.clock()
        latest = now + timedelta(seconds=timeout_seconds)
        start = pacing.reserve(self.name, duration=self.min_interval, now=now, latest_start=latest)
        if start is None:
            raise SourceUnavailableError(
                f"{self.title} must not be asked yet: others of us have the next turns, or it asked "
                "to be left alone."
            )
        time.sleep((start - now).total_seconds())

    def back_off(self, seconds: float) -> None:
        """It asked to be left alone so long, whoever asks."""
        pacing.block_until(self.name, until=self.clock() + timedelta(seconds=seconds))
