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
    """Store and process a report."""
    event = {"RecordType": "Delivery", "MessageID": message_id, "Recipient": "ada@example.org"}
    defaults = {
        "received_at": factories.NOW,
        "body": json.dumps(event).encode(),
        "digest": f"{provider} {message_id}",
    }
    stored = ProviderReport.objects.create(provider=provider, **defaults | fields)
    processing.process_report(stored.pk, now=factories.NOW)
    return stored


def create_delivery(message_id: str) -> Delivery:
    return factories.delivery(
        edition=factories.edition(),
        subscriber=factories.subscriber(),
        state=Delivery.State.HANDED_OVER,
        attempted_at=factories.NOW,
        message_id=message_id,
    )


def replay(*arguments: str) -> str:
    output = StringIO()
    call_command("replay_events", *arguments, stdout=output)
    return output.getvalue()


def test_a_replay_prints_one_line_and_is_safe_to_repeat() -> None:
    report()
    create_delivery("m")

    assert [replay() for _ in range(2)] == [
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
def test_reports_are_selected_by_time_and_provider(arguments: tuple[str, ...], count: int) -> None:
    report(message_id="old", received_at=factories.NOW - HOUR)
    report(message_id="new")
    report(provider="mailjet", body=b"[]")

    assert replay(*arguments).startswith(f"Replayed {count} reports:")


def test_a_report_is_selected_by_its_id() -> None:
    report(message_id="a")
    selected = report(message_id="b")

    assert replay("--id", str(selected.pk)).startswith("Replayed 1 reports:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--id", "7"), "There is no such report"),
        (("--since", "yesterday"), "--since must be a date and time"),
        (("--provider", "pigeon"), "Unknown provider 'pigeon'"),
    ],
)
def test_an_invalid_option_is_explained(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        replay(*arguments)


def test_a_report_that_fails_makes_the_command_fail() -> None:
    report(body=b"{")

    with pytest.raises(CommandError, match="the log says why"):
        replay()
