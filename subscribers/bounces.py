"""Mail that comes back again and again: when an address that may exist is given up on.

What counts is the row of messages that came back since the last one that arrived, by the moments
that the provider names. So it does not matter in what order we hear of them: a delivery that is
told late breaks the row, and undoes what only the row had brought about.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from subscribers import suppression
from subscribers.models import SoftBounce, Subscriber, Suppression
from subscribers.signup import lifecycle

# So many in a row, and none that arrived between them.
SOFT_BOUNCE_LIMIT = 5
# A weekly digest that comes back five times takes five weeks. What is older tells of no row.
BOUNCE_RETENTION = timedelta(days=180)

Status, LeftReason = Subscriber.Status, Subscriber.LeftReason


def record_delivery(subscriber: Subscriber, *, delivered_at: datetime, now: datetime) -> None:
    """A message arrived, so the row is broken."""
    older = Q(delivered_at__isnull=True) | Q(delivered_at__lt=delivered_at)
    newest = Subscriber.objects.filter(older, pk=subscriber.pk).update(delivered_at=delivered_at)
    # Only who was given up on can be taken back.
    if newest and subscriber.left_reason:
        update_reachability(subscriber, now=now)


def record_soft_bounce(
    subscriber: Subscriber, message_key: str, *, happened_at: datetime, now: datetime
) -> None:
    """A message came back; the same again, or an older word of it, changes nothing."""
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
    """Give up on an address after so many in a row, or take that back."""
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    given_up = row.left_reason == LeftReason.UNREACHABLE
    if consecutive_soft_bounces(row) >= SOFT_BOUNCE_LIMIT:
        suppression.suppress(row.email, Suppression.Reason.UNREACHABLE, now)
        if row.status != Status.PENDING:
            lifecycle.leave(row, LeftReason.UNREACHABLE, now)
        return
    suppression.remove_suppression(row.email, reason=Suppression.Reason.UNREACHABLE)
    if given_up:
        lifecycle.reactivate(row, now)


def consecutive_soft_bounces(subscriber: Subscriber) -> int:
    """How many came back since one arrived or, newer, since they confirmed."""
    since = max(filter(None, [subscriber.delivered_at, subscriber.confirmed_at]), default=None)
    came_back = SoftBounce.objects.filter(subscriber=subscriber)
    return came_back.filter(happened_at__gt=since).count() if since else came_back.count()


def purge_old_bounces(*, now: datetime) -> int:
    """Drop what is too old to be part of a row."""
    deleted, _ = SoftBounce.objects.filter(happened_at__lte=now - BOUNCE_RETENTION).delete()
    return deleted
