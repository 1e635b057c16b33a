"""Decide which sources are due, and keep each source's status.

The table `SourceStatus` holds, for each source, the last poll, the last success, the failures since
then and the cursor. Only this module writes it. A poll is marked when it starts, so a worker that
dies leaves its source waiting for one poll interval, and then it is due again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from papers.ingest.registry import LISTING_SOURCES, enabled_sources
from papers.models import SourceStatus

# After a failure a source is polled again sooner than usual, then less and less often.
MIN_BACKOFF, MAX_BACKOFF = timedelta(minutes=15), timedelta(hours=6)


def due_sources(*, now: datetime) -> list[str]:
    """Return the names of the enabled sources that should be polled now."""
    statuses = {
        status.name: status for status in SourceStatus.objects.filter(name__in=enabled_sources())
    }
    return [
        name
        for name, source in enabled_sources().items()
        if name not in statuses or next_poll_at(statuses[name], source.poll_interval) <= now
    ]


def next_poll_at(status: SourceStatus, poll_interval: timedelta) -> datetime:
    if not status.error:
        return status.asked_at + poll_interval
    # Cap the doublings: an unlimited exponent would overflow a timedelta.
    backoff: timedelta = MIN_BACKOFF * 2 ** min(max(status.failures - 1, 0), 10)
    return status.asked_at + min(backoff, max(poll_interval, MIN_BACKOFF), MAX_BACKOFF)


def listings_are_fresh(*, now: datetime) -> bool:
    """Return whether every enabled listing source was polled within the longest of their intervals.

    An edition waits for this, whether or not the polls succeeded.
    """
    listings = {
        name: source.poll_interval
        for name, source in enabled_sources().items()
        if name in LISTING_SOURCES
    }
    since = now - max(listings.values(), default=timedelta())
    polled = SourceStatus.objects.filter(name__in=listings, asked_at__gte=since)
    return polled.count() == len(listings)


def mark_started(name: str, *, now: datetime) -> None:
    SourceStatus.objects.update_or_create(name=name, defaults={"asked_at": now})


def mark_finished(name: str, *, now: datetime, papers: int, error: str) -> None:
    status = SourceStatus.objects.filter(name=name)
    if error:
        status.update(error=error[:500], failures=F("failures") + 1)
    else:
        status.update(error="", failures=0, answered_at=now, papers=papers)


def get_cursor(name: str) -> str:
    """Return where the last fetch of a source stopped; empty for a source without a cursor."""
    cursor = SourceStatus.objects.filter(name=name).values_list("cursor", flat=True).first()
    return cursor or ""


def save_cursor(name: str, cursor: str) -> None:
    """Save how far a fetch has come: if it breaks off, the next fetch continues from there.

    Call it only after the papers before the cursor are stored.
    """
    SourceStatus.objects.filter(name=name).update(cursor=cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """A source's status for operators; `age` is the time since its last answer, in seconds."""

    name: str
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    age: float | None = None
    papers: int = 0
    failures: int = 0
    error: str = ""
    is_late: bool = False

    def as_data(self) -> dict[str, Any]:
        times = {name: getattr(self, name) for name in ("asked_at", "answered_at")}
        iso_times = {name: time.isoformat() if time else None for name, time in times.items()}
        return asdict(self) | iso_times


def list_source_health(*, now: datetime) -> list[SourceHealth]:
    """Return the status of each enabled source.

    A source is late if its last answer is older than three poll intervals.
    """
    statuses = {
        status.name: status for status in SourceStatus.objects.filter(name__in=enabled_sources())
    }
    return [
        source_health(name, source.poll_interval, statuses.get(name), now=now)
        for name, source in enabled_sources().items()
    ]


def source_health(
    name: str, poll_interval: timedelta, status: SourceStatus | None, *, now: datetime
) -> SourceHealth:
    if status is None:
        return SourceHealth(name=name)
    silent_for = now - (status.answered_at or status.asked_at)
    return SourceHealth(
        name=name,
        asked_at=status.asked_at,
        answered_at=status.answered_at,
        age=(now - status.answered_at).total_seconds() if status.answered_at else None,
        papers=status.papers,
        failures=status.failures,
        error=status.error,
        is_late=silent_for > 3 * poll_interval,
    )
