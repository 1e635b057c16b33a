"""One turn after another, for all workers together: how often somebody else's server is called."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from papers.models import CallSlot


def reserve(
    name: str, *, duration: timedelta, now: datetime, latest_start: datetime | None = None
) -> datetime | None:
    """Take the next turn: when it begins, or None, and none is taken, if that is after `latest`."""
    with transaction.atomic():
        turn = lock_slot(name, now=now)
        start = max(now, turn.next_at)
        if latest_start is not None and start > latest_start:
            return None
        turn.next_at = start + duration
        turn.save(update_fields=["next_at"])
    return start


def block_until(name: str, *, until: datetime) -> None:
    """Nobody's turn before then."""
    with transaction.atomic():
        turn = lock_slot(name, now=until)
        if turn.next_at < until:
            turn.next_at = until
            turn.save(update_fields=["next_at"])


def blocked_until(name: str, *, now: datetime) -> datetime | None:
    """When the next turn begins, if that is not now."""
    turns = CallSlot.objects.filter(name=name, next_at__gt=now)
    return turns.values_list("next_at", flat=True).first()


def lock_slot(name: str, *, now: datetime) -> CallSlot:
    """The row of that name, locked until the transaction ends."""
    CallSlot.objects.get_or_create(name=name, defaults={"next_at": now})
    return CallSlot.objects.select_for_update().get(name=name)
