"""Pace outbound calls across all workers: reserve time slots per remote server.

The table `CallSlot` holds, for each server, when its next slot begins. `reserve` and
`block_until` lock that row in a transaction of their own, so two workers never get the same slot. A
worker that dies after reserving leaves a slot unused, which only delays the next call. Cost: about
four queries per call.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from papers.models import CallSlot


def reserve(
    name: str, *, duration: timedelta, now: datetime, latest_start: datetime | None = None
) -> datetime | None:
    """Reserve the next free slot of a server; return when it begins.

    Return None, and reserve nothing, if that would be after `latest_start`.
    """
    with transaction.atomic():
        slot = lock_slot(name, now=now)
        start = max(now, slot.next_at)
        if latest_start is not None and start > latest_start:
            return None
        slot.next_at = start + duration
        slot.save(update_fields=["next_at"])
    return start


def block_until(name: str, *, until: datetime) -> None:
    """Give out no slot of a server before a moment; never shorten an existing block."""
    with transaction.atomic():
        slot = lock_slot(name, now=until)
        if slot.next_at < until:
            slot.next_at = until
            slot.save(update_fields=["next_at"])


def blocked_until(name: str, *, now: datetime) -> datetime | None:
    """Return when the next free slot begins; None if it is free now."""
    slots = CallSlot.objects.filter(name=name, next_at__gt=now)
    return slots.values_list("next_at", flat=True).first()


def lock_slot(name: str, *, now: datetime) -> CallSlot:
    """Return the call slot of that name, created if needed, locked until the transaction ends."""
    CallSlot.objects.get_or_create(name=name, defaults={"next_at": now})
    return CallSlot.objects.select_for_update().get(name=name)
