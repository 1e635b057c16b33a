"""Compute when a reader's next digest is due, in their time zone (pure: no Django, no clock)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# A slot lasts an hour: a reader who picks 7:00 at 7:20 still gets today's digest.
HOUR_SLOT = timedelta(hours=1)


@cache
def timezone_names() -> frozenset[str]:
    """Return the names of all time zones, without the placeholder "Factory"."""
    return frozenset(available_timezones() - {"Factory"})


def next_digest_at(
    *,
    hour: int,
    zone: ZoneInfo,
    weekdays: AbstractSet[int],
    after: datetime,
    last_digest_date: date | None = None,
    not_before: date | None = None,
) -> datetime:
    """Return the start, in UTC, of the first slot that is not over at `after`.

    A slot is the hour that begins at `hour` on one of `weekdays` (Monday is 0), in `zone`. Local
    dates up to `last_digest_date`, which had the reader's latest digest, and before `not_before`,
    the end of a pause, have none. The start lies before `after` if the slot is running.

    Raise `ValueError` if `weekdays` is empty.
    """
    if not weekdays:
        raise ValueError("weekdays must not be empty.")
    # Yesterday's slot may still be running, if it began late because the clock skipped its hour.
    day = after.astimezone(zone).date() - timedelta(days=1)
    if last_digest_date is not None:
        day = max(day, last_digest_date + timedelta(days=1))
    if not_before is not None:
        day = max(day, not_before)
    while True:
        if day.weekday() in weekdays:
            start = resolve_local_hour(day, hour, zone)
            if start + HOUR_SLOT > after:
                return start
        day += timedelta(days=1)


def resolve_local_hour(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """Return the UTC time at which clocks in `zone` first show this hour.

    If a change of the clock skips the hour, return the first time after the gap.
    """
    wall_time = datetime.combine(day, time(hour))
    instant = wall_time.replace(tzinfo=zone).astimezone(UTC)
    # A skipped wall time does not survive the round trip: step to the first one that does.
    while instant.astimezone(zone).replace(tzinfo=None) != wall_time:
        wall_time += timedelta(minutes=1)
        instant = wall_time.replace(tzinfo=zone).astimezone(UTC)
    return instant
