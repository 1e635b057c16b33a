"""Pace the calls to a source across all workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from papers import pacing
from papers.sources.errors import SourceUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePacer:
    """The call slots of a source that must not be called more often than once per interval."""

    name: str
    title: str
    min_interval: timedelta
    clock: Callable[[], datetime] = timezone.now

    def acquire(self, timeout_seconds: float) -> None:
        """Sleep until the next free call slot.

        Raise SourceUnavailableError, and take no slot, if the wait would exceed the timeout.
        """
        now = self.clock()
        latest = now + timedelta(seconds=timeout_seconds)
        start = pacing.reserve(self.name, duration=self.min_interval, now=now, latest_start=latest)
        if start is None:
            raise SourceUnavailableError(
                f"{self.title} cannot be called yet: the next call slots are taken, or the source "
                "has requested a pause."
            )
        time.sleep((start - now).total_seconds())

    def back_off(self, seconds: float) -> None:
        """Keep all workers from calling the source for this time."""
        pacing.block_until(self.name, until=self.clock() + timedelta(seconds=seconds))
