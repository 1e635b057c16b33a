"""One tick: find what is due in the database, and say what workers have to do.

Celery beat, cron or a person may run a tick, and two may run at once: every decision is a row that
one conditional update or a lock claims. Only the opening of deliveries happens here; fetching,
publishing and sending are left to tasks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from newsletter.delivery import handover, schedule
from newsletter.editions import publish as editions_publish
from newsletter.models import Delivery, Edition
from papers.ingest import schedule as ingest_schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The counts of a tick's own work, and the work that it leaves to tasks."""

    counts: Counter[str]
    should_fetch: bool
    should_publish: bool
    # The number of deliveries to hand over, by edition.
    pending_by_edition: dict[int, int]

    def __str__(self) -> str:
        opened = schedule.format_counts(self.counts) or "nothing to open"
        started = [
            name
            for name, due in (("fetch", self.should_fetch), ("publish", self.should_publish))
            if due
        ]
        pending = sum(self.pending_by_edition.values())
        return f"{opened}; {pending} to hand over; {', '.join(started) or 'nothing'} to start"


def run_tick(*, now: datetime) -> Tick:
    """Open due deliveries, recover abandoned batches, and return what else is due."""
    counts = schedule.open_due(now=now) + handover.recover_abandoned_batches(now=now)
    pending = Delivery.objects.claimable(now=now).values_list("edition").annotate(Count("pk"))
    return Tick(
        counts=counts,
        should_fetch=bool(ingest_schedule.due_sources(now=now)),
        should_publish=publish_is_due(now=now),
        pending_by_edition=dict(pending),
    )


def publish_is_due(*, now: datetime) -> bool:
    """Return whether it is time, no edition exists, and the sources were polled recently."""
    return (
        now.time() >= editions_publish.PUBLISH_AT
        and ingest_schedule.listings_are_fresh(now=now)
        and not Edition.objects.filter(date=now.date()).exists()
    )


def publish_today(*, now: datetime) -> Edition | None:
    """Publish today's edition if it is due; raise NothingToPublishError if no paper is new."""
    return editions_publish.publish_edition(now.date(), at=now) if publish_is_due(now=now) else None
