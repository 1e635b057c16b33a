"""Who never confirmed is forgotten: an address that somebody typed is not ours to keep."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from subscribers.models import Consent, Subscriber, SubscriberQuerySet

logger = logging.getLogger(__name__)

Status, LeftReason = Subscriber.Status, Subscriber.LeftReason

# So long after the last of their mails; the link in it is dead after three days.
UNCONFIRMED_RETENTION = timedelta(days=7)
# Rows in one transaction, and in one run: the next is a minute away.
PURGE_BATCH_SIZE, MAX_PURGED_PER_RUN = 500, 5_000


def purge_unconfirmed(*, now: datetime) -> int:
    """How many were forgotten. Who had been a reader before is one who left, as before."""
    before, forgotten = now - UNCONFIRMED_RETENTION, 0
    while forgotten < MAX_PURGED_PER_RUN and (page := purge_batch(before)):
        forgotten += page
    revert_lapsed_rejoins(before)
    if forgotten:
        logger.info("%s who never confirmed were forgotten", forgotten)
    return forgotten


@transaction.atomic
def purge_batch(cutoff: datetime) -> int:
    # Locked: somebody may be pressing the button in the mail at this moment.
    old = inactive_since(cutoff).filter(confirmed_at__isnull=True, created_at__lt=cutoff)
    ids = list(old.select_for_update().values_list("pk", flat=True)[:PURGE_BATCH_SIZE])
    Subscriber.objects.filter(pk__in=ids).delete()
    return len(ids)


@transaction.atomic
def revert_lapsed_rejoins(cutoff: datetime) -> None:
    """Somebody typed the address of a former reader, who did not want to come back."""
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
    """Nobody asked with the address since, and nothing was sent to it, and nobody said no."""
    return Subscriber.objects.filter(
        Q(confirmation_requested_at=None) | Q(confirmation_requested_at__lt=cutoff),
        Q(confirmation_sent_at=None) | Q(confirmation_sent_at__lt=cutoff),
        Q(left_at=None) | Q(left_at__lt=cutoff),
    )
