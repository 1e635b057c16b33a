"""Choose the editions that a digest covers: those since the reader's last one, up to a week."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Case, Max, When

from newsletter.models import Delivery, Edition
from subscribers.models import Preferences

# A digest reaches back this far at most, however long ago the last one was.
MAX_CATCH_UP = timedelta(days=7)

# A reader whose last digest is older than this is treated like a new reader.
HISTORY_WINDOW = timedelta(days=60)

# Deliveries in these states count as a reader's last digest. An `unknown` one may have arrived, so
# it counts: papers sent twice are worse than papers missed.
COUNTED_STATES = {
    Delivery.State.PENDING,
    Delivery.State.CLAIMED,
    Delivery.State.HANDED_OVER,
    Delivery.State.UNKNOWN,
    Delivery.State.CANCELLED,
}

# Except these: the reader did not get the papers, so the next digest covers them.
CARRIED_OVER_REASONS = {Delivery.CancellationReason.TOO_FEW, Delivery.CancellationReason.PAUSED}


def last_edition_dates(subscriber_ids: Iterable[int], *, before: date) -> dict[int, date]:
    """Return the date of the last edition each subscriber had before a date, by id, in one query.

    A digest that was cancelled because of a pause or too few papers counts as the one before it.
    Subscribers without a digest within HISTORY_WINDOW are left out.
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
    """Return the date after which editions belong to the digest.

    That is the date of the reader's last edition, but at most MAX_CATCH_UP ago. A first digest
    covers one day, or a week for weekly readers.
    """
    if last_edition_date is None:
        weekly = preferences.frequency == Preferences.Frequency.WEEKLY
        return edition.date - (MAX_CATCH_UP if weekly else timedelta(days=1))
    return max(last_edition_date, edition.date - MAX_CATCH_UP)
