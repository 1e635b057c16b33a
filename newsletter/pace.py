"""How fast the provider may be called: one turn after another, shared by all workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from newsletter.models import Pace


def turn(*, now: datetime, messages: int) -> datetime:
    """Reserve the next turn for that many messages; wait until the moment returned.

    With SEND_RATE messages a second over all workers; zero means no limit.
    """
    if not settings.SEND_RATE:
        return paused_until(now=now) or now
    with transaction.atomic():
        pace = row(now=now)
        start = max(now, pace.next_at)
        pace.next_at = start + timedelta(seconds=messages / settings.SEND_RATE)
        pace.save(update_fields=["next_at"])
    return start


def pause(*, until: datetime) -> None:
    """Leave the provider alone until then: it said so, or it does not answer."""
    with transaction.atomic():
        pace = row(now=until)
        if pace.next_at < until:
            pace.next_at = until
            pace.save(update_fields=["next_at"])


def paused_until(*, now: datetime) -> datetime | None:
    """When the provider may be called again, if that is not now."""
    paces = Pace.objects.filter(provider=settings.EMAIL_PROVIDER, next_at__gt=now)
    return paces.values_list("next_at", flat=True).first()


def row(*, now: datetime) -> Pace:
    """The provider's row, locked until the transaction ends."""
    Pace.objects.get_or_create(provider=settings.EMAIL_PROVIDER, defaults={"next_at": now})
    return Pace.objects.select_for_update().get(provider=settings.EMAIL_PROVIDER)
