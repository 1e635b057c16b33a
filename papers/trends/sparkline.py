"""The points of a sparkline: a paper's upvotes over time (pure: no Django, no clock)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

# With fewer observations, a line shows nothing of interest.
MIN_OBSERVATIONS = 3


def points(
    observations: Sequence[tuple[datetime, int]], *, width: int, height: int
) -> list[tuple[float, float]]:
    """Return the line's points in a box with the origin at the top left; empty without a change.

    The observations must be ordered by time. The bottom is zero, not the smallest value: a small
    gain must not look steep.
    """
    values = [value for _, value in observations]
    if len(values) < MIN_OBSERVATIONS or min(values) == max(values):
        return []
    start, end, top = observations[0][0], observations[-1][0], max(values)
    return [
        (
            round(width * ((observed_at - start) / (end - start)), 1),
            round(height * (1 - value / top), 1),
        )
        for observed_at, value in observations
    ]
