"""The soft-bounce policy: suppress an address after five consecutive bounces.

Bounces are counted since the last delivery, by the provider's timestamps, so the order in which events
arrive does not matter: a delivery that is reported late resets the count, and undoes a suppression
that only the count had caused.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from subscribers import suppression
from subscribers.models import SoftBounce, Subscriber, Suppression
from subscribers.signup import lifecycle

# Consecutive bounces, without a delivery between them.
SOFT_BOUNCE_LIMIT = 5
# Five bounces of a weekly digest take five weeks; older ones no longer count.
BOUNCE_RETENTION = timedelta(days=180)

Status, LeftReason = Subscriber.Status, Subscriber.LeftReason


def record_delivery(subscriber: Subscriber, *, delivered_at: datetime, now: datetime) -> None:
    """Record a delivery, which resets the count of consecutive bounces."""
    older = Q(delivered_at__isnull=True) | Q(delivered_at__lt=delivered_at)
    newest = Subscriber.objects.filter(older, pk=subscriber.pk).update(delivered_at=delivered_at)
    # Only a subscriber who left can be reactivated.
    if newest and subscriber.left_reason:
        update_reachability(subscriber, now=now)


def record_soft_bounce(
    subscriber: Subscriber, message_key: str, *, happened_at: datetime, now: datetime
) -> None:
    """Record a soft bounce of a message; a repeat, or an older report of it, changes nothing."""
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
    """Suppress the address at the limit of consecutive bounces, or undo that below it."""
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    was_unreachable = row.left_reason == LeftReason.UNREACHABLE
    if consecutive_soft_bounces(row) >= SOFT_BOUNCE_LIMIT:
        suppression.suppress(row.email, Suppression.Reason.UNREACHABLE, now)
        if row.status != Status.PENDING:
            lifecycle.leave(row, LeftReason.UNREACHABLE, now)
        return
    suppression.remove_suppression(row.email, reason=Suppression.Reason.UNREACHABLE)
    if was_unreachable:
        lifecycle.reactivate(row, now)


def consecutive_soft_bounces(subscriber: Subscriber) -> int:
    """Count the bounces since the last delivery or the confirmation, whichever is later."""
    since = max(filter(None, [subscriber.delivered_at, subscriber.confirmed_at]), default=None)
    bounces = SoftBounce.objects.filter(subscriber=subscriber)
    return bounces.filter(happened_at__gt=since).count() if since else bounces.count()


def purge_old_bounces(*, now: datetime) -> int:
    """Delete bounces that are too old to count; return how many."""
    deleted, _ = SoftBounce.objects.filter(happened_at__lte=now - BOUNCE_RETENTION).delete()
    return deleted
