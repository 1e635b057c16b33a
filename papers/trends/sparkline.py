"""Attention over time as a line to draw (pure: no Django, no clock)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

# Fewer observations than this make no line worth looking at.
MIN_OBSERVATIONS = 3


def points(
    observations: Sequence[tuple[datetime, int]], *, width: int, height: int
) -> list[tuple[float, float]]:
    """Where the line goes in a box with its origin at the top left; nowhere if nothing changed.

    The observations are in order of time. The bottom is zero: a small gain must not look steep.
    """
    values = [value for _, value in observations]
    if len(values) < MIN_OBSERVATIONS or min(values) == max(values):
        return []
    first, duration = observations[0][0], observations[-1][0] - observations[0][0]
    return [
        (round(width * ((at - first) / duration), 1), round(height * (1 - value / max(values)), 1))
        for at, value in observations
    ]
