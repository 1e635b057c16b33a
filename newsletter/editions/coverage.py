"""Decide which editions a digest covers: those since the reader's last one, within limits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Case, Max, When

from newsletter.models import Delivery, Edition
from subscribers.models import Preferences

# A digest reaches back no further, however long the reader got none.
MAX_CATCH_UP = timedelta(days=7)
# Deliveries older than this are not looked at: the reader starts afresh.
HISTORY_WINDOW = timedelta(days=60)
# States of a delivery that covers its editions, so that the next digest starts after them …
COUNTED_STATES = {
    Delivery.State.PENDING,
    Delivery.State.CLAIMED,
    Delivery.State.HANDED_OVER,
    Delivery.State.UNKNOWN,
    Delivery.State.CANCELLED,
}
# … except where it was cancelled for these reasons: its papers are carried over.
CARRIED_OVER_REASONS = {Delivery.CancellationReason.TOO_FEW, Delivery.CancellationReason.PAUSED}


def last_edition_dates(subscriber_ids: Iterable[int], *, before: date) -> dict[int, date]:
    """Return the date up to which each reader's recent digests have covered editions.

    A digest that had too few papers or fell into a pause covers nothing, so the date before it counts.
    """
    recent = Edition.objects.filter(date__gte=before - HISTORY_WINDOW, date__lt=before)
    rows = (
        Delivery.objects.filter(
            subscriber__in=subscriber_ids, edition__in=recent, state__in=COUNTED_STATES
        )
        .values("subscriber")
        .annotate(
            newest=Max(
                Case(When(reason__in=CARRIED_OVER_REASONS, then="after"), default="edition__date")
            )
        )
    )
    return dict(rows.values_list("subscriber", "newest"))


def covered_after(
    edition: Edition, preferences: Preferences, *, last_edition_date: date | None
) -> date:
    """Return the date after which editions belong to this digest (exclusive)."""
    if last_edition_date is None:
        weekly = preferences.frequency == Preferences.Frequency.WEEKLY
        return edition.date - (MAX_CATCH_UP if weekly else timedelta(days=1))
    return max(last_edition_date, edition.date - MAX_CATCH_UP)
