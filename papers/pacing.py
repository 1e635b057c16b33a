"""One turn after another, for all workers together: how often somebody else's server is called."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from papers.models import Turn


def reserve(
    name: str, *, lasting: timedelta, now: datetime, latest: datetime | None = None
) -> datetime | None:
    """Take the next turn: when it begins, or None, and none is taken, if that is after `latest`."""
    with transaction.atomic():
        turn = row(name, now=now)
        start = max(now, turn.next_at)
        if latest is not None and start > latest:
            return None
        turn.next_at = start + lasting
        turn.save(update_fields=["next_at"])
    return start


def hold(name: str, *, until: datetime) -> None:
    """Nobody's turn before then."""
    with transaction.atomic():
        turn = row(name, now=until)
        if turn.next_at < until:
            turn.next_at = until
            turn.save(update_fields=["next_at"])


def held_until(name: str, *, now: datetime) -> datetime | None:
    """When the next turn begins, if that is not now."""
    turns = Turn.objects.filter(name=name, next_at__gt=now)
    return turns.values_list("next_at", flat=True).first()


def row(name: str, *, now: datetime) -> Turn:
    """The row of that name, locked until the transaction ends."""
    Turn.objects.get_or_create(name=name, defaults={"next_at": now})
    return Turn.objects.select_for_update().get(name=name)
