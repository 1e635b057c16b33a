"""Which editions a reader's next digest covers: those since the last one they had, within limits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Case, Max, When

from newsletter.models import Delivery, Edition
from subscribers.models import Preferences

# Who has not read for longer than this is not sent all that was missed.
LONGEST_REACH = timedelta(days=7)


# Who has had nothing for longer than this begins anew.
MEMORY = timedelta(days=60)


# Deliveries after which the next digest need not go back further.
SERVED = {
    Delivery.State.PENDING,
    Delivery.State.CLAIMED,
    Delivery.State.HANDED_OVER,
    Delivery.State.UNKNOWN,
    Delivery.State.CANCELLED,
}


# … but what these readers were not sent waits for their next digest.
WAITING = {Delivery.Reason.TOO_FEW, Delivery.Reason.PAUSED}


def last_editions(ids: Iterable[int], *, before: date) -> dict[int, date]:
    """The date of the newest edition that each reader has had; of long ago it does not matter.

    Of a digest that was not worth sending, or came in a pause, that is the one before it.
    """
    recent = Edition.objects.filter(date__gte=before - MEMORY, date__lt=before)
    rows = (
        Delivery.objects.filter(subscriber__in=ids, edition__in=recent, state__in=SERVED)
        .values("subscriber")
        .annotate(newest=Max(Case(When(reason__in=WAITING, then="after"), default="edition__date")))
    )
    return dict(rows.values_list("subscriber", "newest"))


def reach(edition: Edition, preferences: Preferences, *, last: date | None) -> date:
    """The date after which editions belong to this digest: since the last one, within reason."""
    if last is None:
        weekly = preferences.frequency == Preferences.Frequency.WEEKLY
        return edition.date - (LONGEST_REACH if weekly else timedelta(days=1))
    return max(last, edition.date - LONGEST_REACH)
