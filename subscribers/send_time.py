"""When a reader wants the next digest, in their own time zone (pure: no Django, no clock)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# A chosen hour lasts an hour: who picks 7 at 7:20 still gets today's digest.
HOUR_SLOT = timedelta(hours=1)


@cache
def timezone_names() -> frozenset[str]:
    """Every name of a time zone. ("Factory" is what a machine without one says.)"""
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
    """The start, in UTC, of the first wanted slot that is not over at `after`.

    `days` are weekdays (Monday is 0); `last` is the reader's local date of their newest digest:
    that date and those before it are done. Nor is there one on a date before `not_before`, until
    which they have paused. The start lies before `after` if the slot is running.
    """
    if not weekdays:
        raise ValueError("A reader without a day has no next digest.")
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
    """When the clock first shows this hour or, where it is skipped, the first time after it."""
    wall = datetime.combine(day, time(hour))
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    while instant.astimezone(zone).replace(tzinfo=None) != wall:
        wall += timedelta(minutes=1)
        instant = wall.replace(tzinfo=zone).astimezone(UTC)
    return instant
