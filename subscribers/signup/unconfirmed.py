"""Purge sign-ups that were not confirmed within seven days.

Only this module deletes subscribers without a request to do so. Safe to repeat and to interrupt:
each batch is one transaction, and the next run continues.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from subscribers.models import Consent, Subscriber, SubscriberQuerySet

logger = logging.getLogger(__name__)

Status, LeftReason = Subscriber.Status, Subscriber.LeftReason

# Counted from the last request or confirmation mail, whose link expires after three days.
UNCONFIRMED_RETENTION = timedelta(days=7)
# Rows per transaction, and per run; the next run follows within a minute.
PURGE_BATCH_SIZE, MAX_PURGED_PER_RUN = 500, 5_000


def purge_unconfirmed(*, now: datetime) -> int:
    """Delete expired sign-ups and return their number.

    A former reader whose new request expired is not deleted but returns to the status `left`.
    """
    cutoff, purged_count = now - UNCONFIRMED_RETENTION, 0
    while purged_count < MAX_PURGED_PER_RUN and (batch_count := purge_batch(cutoff)):
        purged_count += batch_count
    revert_lapsed_rejoins(cutoff)
    if purged_count:
        logger.info("purged %s unconfirmed sign-ups", purged_count)
    return purged_count


@transaction.atomic
def purge_batch(cutoff: datetime) -> int:
    # Lock the rows: somebody may be confirming one of them right now.
    expired = inactive_since(cutoff).filter(confirmed_at__isnull=True, created_at__lt=cutoff)
    ids = list(expired.select_for_update().values_list("pk", flat=True)[:PURGE_BATCH_SIZE])
    Subscriber.objects.filter(pk__in=ids).delete()
    return len(ids)


@transaction.atomic
def revert_lapsed_rejoins(cutoff: datetime) -> None:
    """Return former readers to `left` if they did not confirm a new request.

    Anybody may have typed their address into the form.
    """
    lapsed = inactive_since(cutoff).filter(status=Status.PENDING, confirmed_at__isnull=False)
    ids = list(lapsed.select_for_update().values_list("pk", flat=True))
    Consent.objects.filter(subscriber__in=ids, confirmed_at=None).delete()
    Subscriber.objects.filter(pk__in=ids).update(
        status=Status.LEFT,
        left_at=cutoff,
        left_reason=LeftReason.UNSUBSCRIBED,
        confirmation_requested_at=None,
    )


def inactive_since(cutoff: datetime) -> SubscriberQuerySet:
    """Return the subscribers without a request, a confirmation mail or a departure since then."""
    return Subscriber.objects.filter(
        Q(confirmation_requested_at=None) | Q(confirmation_requested_at__lt=cutoff),
        Q(confirmation_sent_at=None) | Q(confirmation_sent_at__lt=cutoff),
        Q(left_at=None) | Q(left_at__lt=cutoff),
    )
