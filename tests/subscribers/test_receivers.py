"""subscribers/receivers.py"""

from __future__ import annotations

import logging
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from anymail.inbound import AnymailInboundMessage
from anymail.signals import (
    AnymailInboundEvent,
    AnymailTrackingEvent,
    EventType,
    RejectReason,
    inbound,
    tracking,
)

from subscribers import receivers, suppression
from subscribers.mail import links
from subscribers.models import SoftBounce, Subscriber, Suppression
from subscribers.signup import lifecycle
from tests import factories

pytestmark = pytest.mark.django_db

Status, Reason = Subscriber.Status, Subscriber.LeftReason
NOW = factories.NOW
HOUR = timedelta(hours=1)
ADA = "ada@example.org"

HARD_BOUNCE = {"event_type": EventType.BOUNCED, "reject_reason": RejectReason.BOUNCED}
SOFT_BOUNCE = {"event_type": EventType.BOUNCED, "reject_reason": RejectReason.OTHER}
COMPLAINT = {"event_type": EventType.COMPLAINED, "reject_reason": RejectReason.SPAM}
UNSUBSCRIBED = {"event_type": EventType.UNSUBSCRIBED}


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def report(esp_name: str = "Some ESP", **fields: Any) -> None:
    """Send a tracking event as Anymail's webhook view does."""
    event = AnymailTrackingEvent(**{"recipient": ADA, "timestamp": NOW - HOUR} | fields)
    tracking.send(sender=object, event=event, esp_name=esp_name)


def state() -> tuple[str, str, list[str]]:
    """Return the state of the only subscriber, and the reason of every suppression."""
    ada = Subscriber.objects.get()
    return ada.status, ada.left_reason, [row.reason for row in Suppression.objects.all()]


@pytest.mark.parametrize("status", [Status.PENDING, Status.ACTIVE])
@pytest.mark.parametrize(
    ("event", "reason", "suppressed"),
    [
        (HARD_BOUNCE, "bounced", ["bounced"]),
        (COMPLAINT, "complained", ["complained"]),
        (UNSUBSCRIBED, "unsubscribed", []),
    ],
    ids=["hard bounce", "complaint", "unsubscribed"],
)
def test_an_event_can_end_a_subscription(status, event, reason, suppressed):
    factories.subscriber(email=ADA, status=status)

    report(**event)

    assert state() == ("left", reason, suppressed)
    assert suppression.is_suppressed(ADA) is bool(suppressed)


def test_an_event_without_meaning_for_the_address_costs_no_query(django_assert_num_queries):
    factories.subscriber(email=ADA)

    with django_assert_num_queries(0):
        report(event_type=EventType.DEFERRED)

    assert state() == ("active", "", [])


@pytest.mark.parametrize("events", list(permutations([UNSUBSCRIBED, HARD_BOUNCE, COMPLAINT])))
def test_neither_the_order_nor_repetition_of_events_matters(events):
    factories.subscriber(email=ADA)

    for event in events * 2:
        report(**event)

    assert state() == ("left", "complained", ["complained"])


def test_our_metadata_identifies_the_subscriber_of_a_forwarded_mail():
    ada = factories.subscriber(email=ADA)

    report(
        **HARD_BOUNCE,
        recipient="forwarded@example.net",
        metadata={"subscriber": str(ada.public_id)},
    )

    assert state() == ("left", "bounced", ["bounced"])
    assert suppression.is_suppressed(ADA)


def test_without_our_metadata_the_recipient_identifies_the_subscriber():
    factories.subscriber(email=ADA)

    report(**HARD_BOUNCE, recipient=" Ada@EXAMPLE.org", metadata=None)

    assert state() == ("left", "bounced", ["bounced"])


def test_an_address_without_a_subscriber_is_suppressed_too():
    report(**HARD_BOUNCE, metadata={"subscriber": str(uuid4())})

    assert suppression.is_suppressed(ADA)


def test_an_invalid_recipient_is_ignored():
    factories.subscriber(email=ADA)

    report(**COMPLAINT, recipient="ada@example.org\r\nBcc: eve@example.org")

    assert state() == ("active", "", [])


@pytest.mark.parametrize("event", [HARD_BOUNCE, COMPLAINT, UNSUBSCRIBED])
def test_an_event_from_before_the_latest_confirmation_is_ignored(event):
    factories.subscriber(email=ADA, confirmed_at=NOW)

    report(**event, timestamp=NOW - HOUR)

    assert state() == ("active", "", [])


@pytest.mark.parametrize("event", [HARD_BOUNCE, COMPLAINT, UNSUBSCRIBED])
def test_an_event_from_before_rejoining_is_ignored(event):
    ada = factories.subscriber(email=ADA)
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)
    assert lifecycle.rejoin(ada, NOW)

    report(**event, timestamp=NOW - HOUR)

    assert state() == ("active", "", [])


@pytest.mark.parametrize("timestamp", [None, NOW], ids=["undated", "newer"])
def test_a_newer_or_undated_event_counts(timestamp):
    factories.subscriber(email=ADA, confirmed_at=NOW)

    report(**COMPLAINT, timestamp=timestamp)

    assert state() == ("left", "complained", ["complained"])


def test_an_event_time_without_a_zone_is_compared_as_utc():
    ada = factories.subscriber(email=ADA, confirmed_at=NOW)
    naive_times = [(NOW + offset).replace(tzinfo=None) for offset in (-HOUR, HOUR)]

    verdicts = [
        receivers.predates_confirmation(
            AnymailTrackingEvent(event_type="bounced", timestamp=timestamp), ada
        )
        for timestamp in naive_times
    ]

    assert verdicts == [True, False]


@pytest.mark.parametrize("event", [HARD_BOUNCE, SOFT_BOUNCE, COMPLAINT, UNSUBSCRIBED])
def test_logs_contain_no_address(event, caplog):
    factories.subscriber(email=ADA)

    with caplog.at_level(logging.DEBUG):
        report(**event)

    assert ADA not in caplog.text


def test_five_consecutive_soft_bounces_end_a_subscription():
    ada = factories.subscriber(email=ADA)

    for number in range(5):
        assert state() == ("active", "", [])
        report(**SOFT_BOUNCE, message_id=f"m{number}", metadata={"subscriber": str(ada.public_id)})

    assert state() == ("left", "unreachable", ["unreachable"])


def test_a_soft_bounce_is_stored_by_its_message():
    factories.subscriber(email=ADA)

    report(**SOFT_BOUNCE, message_id="m")

    assert [row.message for row in SoftBounce.objects.all()] == ["m"]


def test_a_soft_bounce_of_an_unknown_address_stores_nothing():
    report(**SOFT_BOUNCE, message_id="m")

    assert not SoftBounce.objects.exists()
    assert not Suppression.objects.exists()


def test_bounces_of_one_delivery_count_once_whatever_their_message_id():
    factories.subscriber(email=ADA)

    for number in range(5):
        report(**SOFT_BOUNCE, message_id=f"m{number}", metadata={"delivery": "7"})

    assert state() == ("active", "", [])


def test_a_delivery_ends_a_series_of_soft_bounces():
    factories.subscriber(email=ADA)

    for number in range(8):
        if number == 4:
            report(event_type=EventType.DELIVERED, timestamp=NOW - HOUR + timedelta(seconds=3.5))
        report(
            **SOFT_BOUNCE,
            message_id=f"m{number}",
            timestamp=NOW - HOUR + timedelta(seconds=number),
        )

    assert state() == ("active", "", [])


def receive_mail(envelope_recipient: str | None, **fields: Any) -> None:
    """Send an inbound event as Anymail's webhook view does."""
    message = AnymailInboundMessage.construct(**{"from_email": "eve@example.net"} | fields)
    message.envelope_recipient = envelope_recipient
    event = AnymailInboundEvent(event_type="inbound", message=message, esp_event={})
    inbound.send(sender=object, event=event, esp_name="Postmark")


@pytest.fixture
def inbound_enabled(settings):
    settings.INBOUND_DOMAIN = "in.example.org"
    settings.EMAIL_PROVIDER = "postmark"


@pytest.mark.usefixtures("inbound_enabled")
@pytest.mark.parametrize("headers", [{}, {"Auto-Submitted": "auto-replied"}])
def test_a_mail_to_an_unsubscribe_address_unsubscribes_without_a_reply(headers, mailoutbox, caplog):
    ada = factories.subscriber(email=ADA)

    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            receive_mail(links.unsubscribe_address(ada).upper(), headers=headers, text="please")

    assert state() == ("left", "unsubscribed", [])
    assert mailoutbox == []
    assert ADA not in caplog.text
    assert "eve@" not in caplog.text


@pytest.mark.usefixtures("inbound_enabled")
def test_without_an_envelope_recipient_the_to_header_counts():
    ada = factories.subscriber(email=ADA)

    receive_mail(None, to=f"Papers <{links.unsubscribe_address(ada)}>, {ADA}")

    assert state() == ("left", "unsubscribed", [])


@pytest.mark.usefixtures("inbound_enabled")
@pytest.mark.parametrize(
    "recipient", [None, "", ADA, "unsubscribe@in.example.org", "unsubscribe+abc@in.example.org"]
)
def test_a_mail_to_any_other_address_changes_nothing(recipient):
    factories.subscriber(email=ADA)

    receive_mail(recipient, from_email=ADA, to=ADA, subject="unsubscribe", text="unsubscribe")

    assert state() == ("active", "", [])


@pytest.mark.usefixtures("inbound_enabled")
def test_the_envelope_recipient_takes_precedence_over_the_to_header():
    ada = factories.subscriber(email=ADA)

    receive_mail("hello@in.example.org", to=links.unsubscribe_address(ada))

    assert state() == ("active", "", [])


def test_an_inbound_event_without_a_message_is_ignored():
    event = AnymailInboundEvent(event_type="inbound", message=None, esp_event=None)

    inbound.send_robust(sender=object, event=event, esp_name="Resend")

    assert list(receivers.recipient_addresses(event)) == []
