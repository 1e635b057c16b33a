"""How fast the provider may be called: one turn after another, shared by all workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from papers import pacing


def reserve_send_slot(*, now: datetime, message_count: int) -> datetime:
    """Reserve the next turn for that many messages; wait until the moment returned.

    With SEND_RATE messages a second over all workers; zero means no limit.
    """
    if not settings.SEND_RATE:
        return paused_until(now=now) or now
    lasting = timedelta(seconds=message_count / settings.SEND_RATE)
    return pacing.reserve(slot_name(), duration=lasting, now=now) or now


def pause(*, until: datetime) -> None:
    """Leave the provider alone until then: it said so, or it does not answer."""
    pacing.block_until(slot_name(), until=until)


def paused_until(*, now: datetime) -> datetime | None:
    """When the provider may be called again, if that is not now."""
    return pacing.blocked_until(slot_name(), now=now)


def slot_name() -> str:
    return f"provider:{settings.EMAIL_PROVIDER}"
