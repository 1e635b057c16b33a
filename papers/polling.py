"""When the sources are due to be asked again, by what is known of the last time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import F

from papers.models import SourceStatus

# A source that failed is asked again sooner, and then less and less often.
AFTER_FAILURE, LONGEST_WAIT = timedelta(minutes=15), timedelta(hours=6)


def due(every: Mapping[str, timedelta], *, now: datetime) -> list[str]:
    """Which of the sources, by name and how often each is asked, should be asked now."""
    statuses = {status.name: status for status in SourceStatus.objects.filter(name__in=every)}
    return [
        name
        for name in every
        if name not in statuses or next_at(statuses[name], every[name]) <= now
    ]


def next_at(status: SourceStatus, every: timedelta) -> datetime:
    if not status.error:
        return status.asked_at + every
    patience = AFTER_FAILURE * 2 ** min(max(status.failures - 1, 0), 10)
    return status.asked_at + min(patience, max(every, AFTER_FAILURE), LONGEST_WAIT)


def were_asked(names: Iterable[str], *, since: datetime) -> bool:
    """Whether each of them has been asked since then, whatever it answered."""
    wanted = set(names)
    asked = SourceStatus.objects.filter(name__in=wanted, asked_at__gte=since)
    return asked.count() == len(wanted)


def started(name: str, *, now: datetime) -> None:
    SourceStatus.objects.update_or_create(name=name, defaults={"asked_at": now})


def ended(name: str, *, now: datetime, papers: int, error: str) -> None:
    status = SourceStatus.objects.filter(name=name)
    if error:
        status.update(error=error[:500], failures=F("failures") + 1)
    else:
        status.update(error="", failures=0, answered_at=now, papers=papers)


def cursor_of(name: str) -> str:
    """Where the last fetch of a source stopped."""
    found = SourceStatus.objects.filter(name=name).values_list("cursor", flat=True).first()
    return found or ""


def went_to(name: str, cursor: str) -> None:
    """What came before is stored: a fetch that breaks off goes on from there."""
    SourceStatus.objects.filter(name=name).update(cursor=cursor)
