"""Which editions a reader's next digest covers: those since the last one they had, within limits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Case, Max, When

from newsletter.models import Delivery, Edition
from subscribers.models import Preferences

# Who has not read for longer than this is not sent all that was missed.
MAX_CATCH_UP = timedelta(days=7)


# Who has had nothing for longer than this begins anew.
HISTORY_WINDOW = timedelta(days=60)


# Deliveries after which the next digest need not go back further.
COUNTED_STATES = {
    Delivery.State.PENDING,
    Delivery.State.CLAIMED,
    Delivery.State.HANDED_OVER,
    Delivery.State.UNKNOWN,
    Delivery.State.CANCELLED,
}


# … but what these readers were not sent waits for their next digest.
CARRIED_OVER_REASONS = {Delivery.CancellationReason.TOO_FEW, Delivery.CancellationReason.PAUSED}


def last_edition_dates(subscriber_ids: Iterable[int], *, before: date) -> dict[int, date]:
    """The date of the newest edition that each reader has had; of long ago it does not matter.

    Of a digest that was not worth sending, or came in a pause, that is the one before it.
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
    """The date after which editions belong to this digest: since the last one, within reason."""
    if last_edition_date is None:
        weekly = preferences.frequency == Preferences.Frequency.WEEKLY
        return edition.date - (MAX_CATCH_UP if weekly else timedelta(days=1))
    return max(last_edition_date, edition.date - MAX_CATCH_UP)
