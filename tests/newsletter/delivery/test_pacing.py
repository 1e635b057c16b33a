"""newsletter/delivery/pacing.py"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from newsletter.delivery import pacing
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_without_a_rate_limit_every_slot_starts_now(settings: Any) -> None:
    settings.SEND_RATE = 0

    assert [pacing.reserve_send_slot(now=NOW, message_count=500) for _ in range(3)] == [
        NOW,
        NOW,
        NOW,
    ]


def test_slots_follow_each_other_for_all_workers(settings: Any) -> None:
    settings.SEND_RATE = 2

    slots = [pacing.reserve_send_slot(now=NOW, message_count=1) for _ in range(3)]

    assert [slot - NOW for slot in slots] == [
        timedelta(),
        timedelta(seconds=0.5),
        timedelta(seconds=1),
    ]


def test_a_pause_delays_the_slot_even_without_a_rate_limit(settings: Any) -> None:
    settings.SEND_RATE = 0
    pacing.pause(until=NOW + timedelta(seconds=3))

    assert pacing.reserve_send_slot(now=NOW, message_count=1) == NOW + timedelta(seconds=3)


def test_unused_slots_are_not_saved_up_for_a_burst(settings: Any) -> None:
    settings.SEND_RATE = 1
    pacing.reserve_send_slot(now=NOW, message_count=1)
    later = NOW + timedelta(hours=1)

    slots = [pacing.reserve_send_slot(now=later, message_count=1) for _ in range(2)]

    assert [slot - later for slot in slots] == [timedelta(), timedelta(seconds=1)]


def test_the_longest_pause_counts() -> None:
    pacing.pause(until=NOW + timedelta(seconds=60))
    pacing.pause(until=NOW + timedelta(seconds=10))

    assert pacing.paused_until(now=NOW) == NOW + timedelta(seconds=60)
    assert pacing.paused_until(now=NOW + timedelta(seconds=61)) is None


def test_each_provider_is_paced_separately(settings: Any) -> None:
    settings.EMAIL_PROVIDER = "postmark"
    pacing.pause(until=NOW + timedelta(seconds=60))

    settings.EMAIL_PROVIDER = "mailgun"
    assert pacing.paused_until(now=NOW) is None
