"""Purge sign-ups that were never confirmed: the owner of the address has not agreed to them."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from subscribers.models import Consent, Subscriber, SubscriberQuerySet

logger = logging.getLogger(__name__)

Status, LeftReason = Subscriber.Status, Subscriber.LeftReason

# Counted from the last mail; the link in it expires after three days.
UNCONFIRMED_RETENTION = timedelta(days=7)
# Rows in one transaction, and in one run; the next run is a minute away.
PURGE_BATCH_SIZE, MAX_PURGED_PER_RUN = 500, 5_000


def purge_unconfirmed(*, now: datetime) -> int:
    """Delete unconfirmed sign-ups older than the retention time; return how many.

    A former reader who did not confirm again is reset to having left. Safe to repeat.
    """
    cutoff, purged = now - UNCONFIRMED_RETENTION, 0
    while purged < MAX_PURGED_PER_RUN and (count := purge_batch(cutoff)):
        purged += count
    revert_lapsed_rejoins(cutoff)
    if purged:
        logger.info("purged %s unconfirmed sign-ups", purged)
    return purged


@transaction.atomic
def purge_batch(cutoff: datetime) -> int:
    # Lock the rows: one of them may be confirmed at this moment.
    old = inactive_since(cutoff).filter(confirmed_at__isnull=True, created_at__lt=cutoff)
    ids = list(old.select_for_update().values_list("pk", flat=True)[:PURGE_BATCH_SIZE])
    Subscriber.objects.filter(pk__in=ids).delete()
    return len(ids)


@transaction.atomic
def revert_lapsed_rejoins(cutoff: datetime) -> None:
    """Reset former readers whose address was signed up again but not confirmed."""
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
    """Return subscribers without a request, a mail or an unsubscription since then."""
    return Subscriber.objects.filter(
        Q(confirmation_requested_at=None) | Q(confirmation_requested_at__lt=cutoff),
        Q(confirmation_sent_at=None) | Q(confirmation_sent_at__lt=cutoff),
        Q(left_at=None) | Q(left_at__lt=cutoff),
    )
