"""Pace calls to the email provider: send slots and pauses, shared by all workers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from papers import pacing


def reserve_send_slot(*, now: datetime, message_count: int) -> datetime:
    """Reserve the next slot for sending messages; return when it starts, which the caller awaits.

    All workers together send SEND_RATE messages a second; zero means no limit. A pause delays the
    slot either way.
    """
    if not settings.SEND_RATE:
        return paused_until(now=now) or now
    duration = timedelta(seconds=message_count / settings.SEND_RATE)
    return pacing.reserve(slot_name(), duration=duration, now=now) or now


def pause(*, until: datetime) -> None:
    """Pause calls to the provider for all workers; an earlier end never shortens a pause."""
    pacing.block_until(slot_name(), until=until)


def paused_until(*, now: datetime) -> datetime | None:
    """Return when the provider may be called again, or None if it may be called now."""
    return pacing.blocked_until(slot_name(), now=now)


def slot_name() -> str:
    return f"provider:{settings.EMAIL_PROVIDER}"
