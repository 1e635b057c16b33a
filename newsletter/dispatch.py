"""One tick: find what has become due since the last one; safe to run twice at once.

Everything is decided by rows, so it does not matter how often or by whom the bell is rung: beat
each minute, cron, or a person at a shell.
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
    """What was done, and what workers have to be called for."""

    counts: Counter[str]
    should_fetch: bool
    should_publish: bool
    # Editions with deliveries to hand over, and how many.
    pending_by_edition: dict[int, int]

    def __str__(self) -> str:
        done = schedule.format_counts(self.counts) or "nothing to open"
        rung = [
            name
            for name, due in (("fetch", self.should_fetch), ("publish", self.should_publish))
            if due
        ]
        waiting = sum(self.pending_by_edition.values())
        return f"{done}; {waiting} to hand over; {', '.join(rung) or 'nothing'} to start"


def run_tick(*, now: datetime) -> Tick:
    """Open what is due, give back what dead workers held, and see what else there is to do."""
    counts = schedule.open_due(now=now) + handover.recover_abandoned_batches(now=now)
    waiting = Delivery.objects.claimable(now=now).values_list("edition").annotate(Count("pk"))
    return Tick(
        counts=counts,
        should_fetch=bool(ingest_schedule.due_sources(now=now)),
        should_publish=publish_is_due(now=now),
        pending_by_edition=dict(waiting),
    )


def publish_is_due(*, now: datetime) -> bool:
    """It is time, there is none yet, and the sources have been asked lately."""
    return (
        now.time() >= editions_publish.PUBLISH_AT
        and ingest_schedule.listings_are_fresh(now=now)
        and not Edition.objects.filter(date=now.date()).exists()
    )


def publish_today(*, now: datetime) -> Edition | None:
    """Today's edition if it is due and there is something to publish."""
    return editions_publish.publish_edition(now.date(), at=now) if publish_is_due(now=now) else None
