"""newsletter/management/commands: replay_events"""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from newsletter.events import processing
from newsletter.models import Delivery, ProviderReport
from tests import factories

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(factories.NOW, tick=False):
        yield


def report(*, provider: str = "postmark", message_id: str = "m", **fields: Any) -> ProviderReport:
    """One that was worked through."""
    told = {"RecordType": "Delivery", "MessageID": message_id, "Recipient": "ada@example.org"}
    defaults = {
        "received_at": factories.NOW,
        "body": json.dumps(told).encode(),
        "digest": f"{provider} {message_id}",
    }
    stored = ProviderReport.objects.create(provider=provider, **defaults | fields)
    processing.process_report(stored.pk, now=factories.NOW)
    return stored


def sent(message_id: str) -> Delivery:
    return factories.delivery(
        edition=factories.edition(),
        subscriber=factories.subscriber(),
        state=Delivery.State.HANDED_OVER,
        attempted_at=factories.NOW,
        message_id=message_id,
    )


def replayed(*arguments: str) -> str:
    out = StringIO()
    call_command("replay_events", *arguments, stdout=out)
    return out.getvalue()


def test_what_is_replayed_is_said_in_one_line() -> None:
    report()
    sent("m")

    assert [replayed() for _ in range(2)] == [
        "Replayed 1 reports: 1 events applied, 0 waiting for their delivery, 0 unmatched, "
        "0 duplicates, 0 failed.\n"
    ] * 2
    assert Delivery.objects.get().event == Delivery.Event.DELIVERED


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ((), 3),
        (("--provider", "postmark"), 2),
        (("--provider", "resend"), 0),
        (("--since", "2026-05-12T06:00"), 2),
        (("--since", "2026-05-12T08:00+02:00"), 2),
        (("--since", "2026-05-12T06:00", "--provider", "mailjet"), 1),
    ],
)
def test_some_can_be_chosen(arguments: tuple[str, ...], count: int) -> None:
    report(message_id="old", received_at=factories.NOW - HOUR)
    report(message_id="new")
    report(provider="mailjet", body=b"[]")

    assert replayed(*arguments).startswith(f"Replayed {count} reports:")


def test_one_can_be_chosen_by_its_id() -> None:
    report(message_id="a")
    chosen = report(message_id="b")

    assert replayed("--id", str(chosen.pk)).startswith("Replayed 1 reports:")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--id", "7"), "There is no such report"),
        (("--since", "yesterday"), "--since must be a date and time"),
        (("--provider", "pigeon"), "Unknown provider 'pigeon'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        replayed(*arguments)


def test_a_report_that_fails_makes_the_command_fail() -> None:
    report(body=b"{")

    with pytest.raises(CommandError, match="the log says why"):
        replayed()
