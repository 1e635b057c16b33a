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
IN_A_ROW = 5
# A weekly digest that comes back five times takes five weeks. What is older tells of no row.
MEMORY = timedelta(days=180)

Status, Reason = Subscriber.Status, Subscriber.LeftReason


def note_delivery(subscriber: Subscriber, *, at: datetime, now: datetime) -> None:
    """A message arrived, so the row is broken."""
    older = Q(delivered_at__isnull=True) | Q(delivered_at__lt=at)
    newest = Subscriber.objects.filter(older, pk=subscriber.pk).update(delivered_at=at)
    # Only who was given up on can be taken back.
    if newest and subscriber.left_reason:
        reconsider(subscriber, now=now)


def note_soft_bounce(subscriber: Subscriber, message: str, *, at: datetime, now: datetime) -> None:
    """A message came back; the same again, or an older word of it, changes nothing."""
    with transaction.atomic():
        row, created = SoftBounce.objects.select_for_update().get_or_create(
            subscriber=subscriber, message=message, defaults={"happened_at": at}
        )
        if not created and row.happened_at < at:
            row.happened_at = at
            row.save(update_fields=["happened_at"])
    reconsider(subscriber, now=now)


@transaction.atomic
def reconsider(subscriber: Subscriber, *, now: datetime) -> None:
    """Give up on an address after so many in a row, or take that back."""
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    given_up = row.left_reason == Reason.UNREACHABLE
    if in_a_row(row) >= IN_A_ROW:
        suppression.suppress(row.email, Suppression.Reason.UNREACHABLE, now)
        if row.status != Status.PENDING:
            lifecycle.leave(row, Reason.UNREACHABLE, now)
        return
    suppression.lift(row.email, only=Suppression.Reason.UNREACHABLE)
    if given_up:
        lifecycle.take_back(row, now)


def in_a_row(subscriber: Subscriber) -> int:
    """How many came back since one arrived or, newer, since they confirmed."""
    since = max(filter(None, [subscriber.delivered_at, subscriber.confirmed_at]), default=None)
    came_back = SoftBounce.objects.filter(subscriber=subscriber)
    return came_back.filter(happened_at__gt=since).count() if since else came_back.count()


def forget(*, now: datetime) -> int:
    """Drop what is too old to be part of a row."""
    deleted, _ = SoftBounce.objects.filter(happened_at__lte=now - MEMORY).delete()
    return deleted
