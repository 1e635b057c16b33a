"""Soft-bounce policy: suppress an address after five consecutive soft bounces.

A soft bounce is a mail that came back from an address that may exist. Guarantee: the result depends
only on the messages and their times at the provider, not on the order or number of reports. Bounces
count since the last delivered message; a delivery reported late breaks the series and undoes what
only the series had caused.

Only this module writes `SoftBounce` and `Subscriber.delivered_at`. It decides under a lock on the
subscriber's row; a crash in between is repaired by the next report about that subscriber. Cost: one
UPDATE for a delivery to a reader who is in good standing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from subscribers import suppression
from subscribers.models import SoftBounce, Subscriber, Suppression
from subscribers.signup import lifecycle

# Consecutive soft bounces, without a delivery between them.
SOFT_BOUNCE_LIMIT = 5
# Five bounces of a weekly digest take five weeks; older bounces no longer matter.
BOUNCE_RETENTION = timedelta(days=180)

Status, LeftReason = Subscriber.Status, Subscriber.LeftReason


def record_delivery(subscriber: Subscriber, *, delivered_at: datetime, now: datetime) -> None:
    """Record a delivered message, which ends a series of soft bounces.

    A delivery that is older than the latest known one changes nothing.
    """
    is_newer = Q(delivered_at__isnull=True) | Q(delivered_at__lt=delivered_at)
    updated = Subscriber.objects.filter(is_newer, pk=subscriber.pk).update(
        delivered_at=delivered_at
    )
    # Only a subscriber who left can have been given up on.
    if updated and subscriber.left_reason:
        update_reachability(subscriber, now=now)


def record_soft_bounce(
    subscriber: Subscriber, message_key: str, *, happened_at: datetime, now: datetime
) -> None:
    """Record a soft bounce; repeated reports of one message count once, at the latest time."""
    with transaction.atomic():
        row, created = SoftBounce.objects.select_for_update().get_or_create(
            subscriber=subscriber, message=message_key, defaults={"happened_at": happened_at}
        )
        if not created and row.happened_at < happened_at:
            row.happened_at = happened_at
            row.save(update_fields=["happened_at"])
    update_reachability(subscriber, now=now)


@transaction.atomic
def update_reachability(subscriber: Subscriber, *, now: datetime) -> None:
    """Suppress and unsubscribe an address at the limit, or undo that below it. Idempotent."""
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    left_as_unreachable = row.left_reason == LeftReason.UNREACHABLE
    if consecutive_soft_bounces(row) >= SOFT_BOUNCE_LIMIT:
        suppression.suppress(row.email, Suppression.Reason.UNREACHABLE, now)
        if row.status != Status.PENDING:
            lifecycle.leave(row, LeftReason.UNREACHABLE, now)
        return
    suppression.remove_suppression(row.email, reason=Suppression.Reason.UNREACHABLE)
    if left_as_unreachable:
        lifecycle.reactivate(row, now)


def consecutive_soft_bounces(subscriber: Subscriber) -> int:
    """Return the number of soft bounces since the last delivery or, if later, the confirmation."""
    since = max(filter(None, [subscriber.delivered_at, subscriber.confirmed_at]), default=None)
    bounces = SoftBounce.objects.filter(subscriber=subscriber)
    return bounces.filter(happened_at__gt=since).count() if since else bounces.count()


def purge_old_bounces(*, now: datetime) -> int:
    """Delete soft bounces older than BOUNCE_RETENTION and return their number."""
    deleted, _ = SoftBounce.objects.filter(happened_at__lte=now - BOUNCE_RETENTION).delete()
    return deleted
