"""When the sources are due to be asked again, by what is known of the last time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from papers.ingest.registry import LISTING_SOURCES, enabled_sources
from papers.models import SourceStatus

# A source that failed is asked again sooner, and then less and less often.
MIN_BACKOFF, MAX_BACKOFF = timedelta(minutes=15), timedelta(hours=6)


def due_sources(*, now: datetime) -> list[str]:
    """The sources that this site uses and that should be asked now."""
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
    patience = MIN_BACKOFF * 2 ** min(max(status.failures - 1, 0), 10)
    return status.asked_at + min(patience, max(poll_interval, MIN_BACKOFF), MAX_BACKOFF)


def listings_are_fresh(*, now: datetime) -> bool:
    """Whether who says what is new has been asked lately: an edition waits for that."""
    listings = {
        name: source.poll_interval
        for name, source in enabled_sources().items()
        if name in LISTING_SOURCES
    }
    since = now - max(listings.values(), default=timedelta())
    asked = SourceStatus.objects.filter(name__in=listings, asked_at__gte=since)
    return asked.count() == len(listings)


def mark_started(name: str, *, now: datetime) -> None:
    SourceStatus.objects.update_or_create(name=name, defaults={"asked_at": now})


def mark_finished(name: str, *, now: datetime, papers: int, error: str) -> None:
    status = SourceStatus.objects.filter(name=name)
    if error:
        status.update(error=error[:500], failures=F("failures") + 1)
    else:
        status.update(error="", failures=0, answered_at=now, papers=papers)


def get_cursor(name: str) -> str:
    """Where the last fetch of a source stopped."""
    found = SourceStatus.objects.filter(name=name).values_list("cursor", flat=True).first()
    return found or ""


def save_cursor(name: str, cursor: str) -> None:
    """What came before is stored: a fetch that breaks off goes on from there."""
    SourceStatus.objects.filter(name=name).update(cursor=cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How a source is doing; `age` is how long ago it answered, in seconds."""

    name: str
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    age: float | None = None
    papers: int = 0
    failures: int = 0
    error: str = ""
    is_late: bool = False

    def as_data(self) -> dict[str, Any]:
        moments = {name: getattr(self, name) for name in ("asked_at", "answered_at")}
        written = {name: at.isoformat() if at else None for name, at in moments.items()}
        return asdict(self) | written


def list_source_health(*, now: datetime) -> list[SourceHealth]:
    """Each source that is used; late is one that should have answered three times since."""
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
    since = now - (status.answered_at or status.asked_at)
    return SourceHealth(
        name=name,
        asked_at=status.asked_at,
        answered_at=status.answered_at,
        age=(now - status.answered_at).total_seconds() if status.answered_at else None,
        papers=status.papers,
        failures=status.failures,
        error=status.error,
        is_late=since > 3 * poll_interval,
    )
