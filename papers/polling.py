"""When the sources are due to be asked again, by what is known of the last time."""

from __future__ import annotations

from datetime import datetime, timedelta

from papers.intake import SOURCES
from papers.models import SourceStatus

# Several times a day: one poll in the morning misses a third of the day's later list.
EVERY = timedelta(hours=3)
# A source that failed is asked again sooner, and not at every tick.
AFTER_FAILURE = timedelta(minutes=15)


def is_due(*, now: datetime) -> bool:
    """Whether some source should be asked."""
    statuses = {status.name: status for status in SourceStatus.objects.filter(name__in=SOURCES)}
    return any(name not in statuses or next_at(statuses[name]) <= now for name in SOURCES)


def next_at(status: SourceStatus) -> datetime:
    return status.asked_at + (AFTER_FAILURE if status.error else EVERY)


def were_asked(*, since: datetime) -> bool:
    """Whether every source has been asked since then, whatever it answered."""
    asked = SourceStatus.objects.filter(name__in=SOURCES, asked_at__gte=since)
    return asked.count() == len(SOURCES)


def started(name: str, *, now: datetime) -> None:
    SourceStatus.objects.update_or_create(name=name, defaults={"asked_at": now})


def ended(name: str, *, now: datetime, papers: int, error: str) -> None:
    answered = {} if error else {"answered_at": now, "papers": papers}
    SourceStatus.objects.filter(name=name).update(error=error[:500], **answered)
