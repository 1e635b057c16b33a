"""Pace calls to the provider: send slots and pauses, shared by all workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from papers import pacing


def reserve_send_slot(*, now: datetime, message_count: int) -> datetime:
    """Reserve a send slot for that many messages, and return when it begins.

    SEND_RATE limits the messages a second of all workers together; zero means no limit.
    """
    if not settings.SEND_RATE:
        return paused_until(now=now) or now
    duration = timedelta(seconds=message_count / settings.SEND_RATE)
    return pacing.reserve(slot_name(), duration=duration, now=now) or now


def pause(*, until: datetime) -> None:
    """Pause all calls to the provider: it asked for it, or it does not respond."""
    pacing.block_until(slot_name(), until=until)


def paused_until(*, now: datetime) -> datetime | None:
    """Return until when calls are paused; None if they are not."""
    return pacing.blocked_until(slot_name(), now=now)


def slot_name() -> str:
    return f"provider:{settings.EMAIL_PROVIDER}"
