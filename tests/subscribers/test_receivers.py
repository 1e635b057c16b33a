"""subscribers/receivers.py"""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta
from itertools import permutations
from pathlib import Path
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
from django.conf import settings as project

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
RECORDED = Path(project.BASE_DIR).parent / "shared" / "data" / "webhooks"

HARD = {"event_type": EventType.BOUNCED, "reject_reason": RejectReason.BOUNCED}
INVALID = {"event_type": EventType.BOUNCED, "reject_reason": RejectReason.INVALID}
COMPLAINT = {"event_type": EventType.COMPLAINED, "reject_reason": RejectReason.SPAM}
UNSUBSCRIBED = {"event_type": EventType.UNSUBSCRIBED}


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def report(esp_name: str = "Some ESP", **fields: Any) -> None:
    """As Anymail's webhook view does it."""
    event = AnymailTrackingEvent(**{"recipient": ADA, "timestamp": NOW - HOUR} | fields)
    tracking.send(sender=object, event=event, esp_name=esp_name)


def standing() -> tuple[str, str, list[str]]:
    """Where the one subscriber stands, and every suppression."""
    ada = Subscriber.objects.get()
    return ada.status, ada.left_reason, [row.reason for row in Suppression.objects.all()]


@pytest.mark.parametrize("status", [Status.PENDING, Status.ACTIVE])
@pytest.mark.parametrize(
    ("said", "reason", "suppressed"),
    [
        (HARD, "bounced", ["bounced"]),
        (INVALID, "bounced", ["bounced"]),
        (HARD | {"event_type": EventType.REJECTED}, "bounced", ["bounced"]),
        (COMPLAINT, "complained", ["complained"]),
        (UNSUBSCRIBED, "unsubscribed", []),
        (
            {"event_type": EventType.REJECTED, "reject_reason": RejectReason.UNSUBSCRIBED},
            "unsubscribed",
            [],
        ),
    ],
    ids=["hard bounce", "invalid", "bounced before", "complaint", "unsubscribed", "before"],
)
def test_what_ends_a_subscription(status, said, reason, suppressed):
    factories.subscriber(email=ADA, status=status)

    report(**said)

    assert standing() == ("left", reason, suppressed)
    assert suppression.is_suppressed(ADA) is bool(suppressed)


ENDING = {EventType.BOUNCED, EventType.COMPLAINED, EventType.UNSUBSCRIBED, EventType.REJECTED}
EVENT_TYPES = {value for name, value in vars(EventType).items() if name.isupper()}


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES - ENDING))
def test_what_does_not(event_type):
    factories.subscriber(email=ADA)

    report(event_type=event_type, reject_reason=RejectReason.BOUNCED)

    assert standing() == ("active", "", [])


@pytest.mark.parametrize("reject_reason", ["timed_out", "blocked", "spam", "other", None])
@pytest.mark.parametrize("event_type", [EventType.BOUNCED, EventType.REJECTED])
def test_a_message_that_was_not_wanted_says_nothing_of_the_address(event_type, reject_reason):
    factories.subscriber(email=ADA)

    report(event_type=event_type, reject_reason=reject_reason)

    assert standing() == ("active", "", [])


SOFT = {
    "Amazon SES": {"bounce": {"bounceType": "Transient"}},
    "Brevo": {"event": "soft_bounce"},
    "MailerSend": {"data": {"type": "soft_bounced"}},
    "Mailjet": {"hard_bounce": False, "error": "quota exceeded"},
    "Mandrill": {"event": "soft_bounce"},
    "Postmark": {"Type": "SoftBounce"},
    "Resend": {"data": {"bounce": {"type": "Transient"}}},
    "SendGrid": {"type": "blocked"},
    "SparkPost": {"msys": {"message_event": {"bounce_class": "22"}}},
}


@pytest.mark.parametrize("esp_name", SOFT)
def test_a_soft_bounce_is_not_taken_for_a_hard_one(esp_name):
    factories.subscriber(email=ADA)

    report(esp_name, **HARD, esp_event=SOFT[esp_name])

    assert standing() == ("active", "", [])


def test_every_provider_whose_word_counts_is_in_the_test_above():
    assert set(SOFT) == set(receivers.HARD_BOUNCE_FIELDS)


@pytest.mark.parametrize("esp_event", [None, "text", [], {}, {"bounce": None}, {"bounce": []}])
def test_without_the_provider_s_word_anymail_s_counts(esp_event):
    factories.subscriber(email=ADA)

    report("Amazon SES", **HARD, esp_event=esp_event)

    assert standing() == ("left", "bounced", ["bounced"])


@pytest.mark.parametrize("events", list(permutations([UNSUBSCRIBED, HARD, COMPLAINT])))
def test_the_order_does_not_matter_nor_does_hearing_it_twice(events):
    factories.subscriber(email=ADA)

    for said in events * 2:
        report(**said)

    assert standing() == ("left", "complained", ["complained"])


def test_our_metadata_tells_whose_mail_it_was():
    ada = factories.subscriber(email=ADA)

    report(**HARD, recipient="forwarded@example.net", metadata={"subscriber": str(ada.public_id)})

    assert standing() == ("left", "bounced", ["bounced"])
    assert suppression.is_suppressed(ADA)


@pytest.mark.parametrize("metadata", [None, {}, {"subscriber": ""}, {"subscriber": "x\x00"}, []])
def test_without_it_the_recipient_does(metadata):
    factories.subscriber(email=ADA)

    report(**HARD, recipient=" Ada@EXAMPLE.org", metadata=metadata)

    assert standing() == ("left", "bounced", ["bounced"])


def test_an_address_without_a_row_is_suppressed_all_the_same():
    report(**HARD, metadata={"subscriber": str(uuid4())})

    assert suppression.is_suppressed(ADA)


@pytest.mark.parametrize(
    "recipient",
    [None, "", "ada", "ada@example.org\r\nBcc: eve@example.org", "\x00", "x" * 10_000, 7, ["a"]],
)
def test_an_odd_recipient_is_harmless(recipient):
    factories.subscriber(email=ADA)

    report(**COMPLAINT, recipient=recipient)

    assert standing() == ("active", "", [])


@pytest.mark.parametrize("said", [HARD, COMPLAINT, UNSUBSCRIBED])
def test_a_report_from_before_they_confirmed_anew_is_old_news(said):
    factories.subscriber(email=ADA, confirmed_at=NOW)

    report(**said, timestamp=NOW - HOUR)

    assert standing() == ("active", "", [])


@pytest.mark.parametrize("timestamp", [None, NOW])
def test_a_report_that_is_newer_or_undated_counts(timestamp):
    factories.subscriber(email=ADA, confirmed_at=NOW)

    report(**COMPLAINT, timestamp=timestamp)

    assert standing() == ("left", "complained", ["complained"])


def test_a_report_without_a_time_zone_is_read_as_utc():
    ada = factories.subscriber(email=ADA, confirmed_at=NOW)
    naive = [(NOW + aside).replace(tzinfo=None) for aside in (-HOUR, HOUR)]

    old_news = [
        receivers.predates_confirmation(
            AnymailTrackingEvent(event_type="bounced", timestamp=moment), ada
        )
        for moment in naive
    ]

    assert old_news == [True, False]


@pytest.mark.parametrize("said", [HARD, COMPLAINT, UNSUBSCRIBED])
def test_logs_hold_no_address(said, caplog):
    factories.subscriber(email=ADA)

    with caplog.at_level(logging.DEBUG):
        report(**said)

    assert ADA not in caplog.text


def test_brevo_s_own_word_for_leaving_is_understood():
    factories.subscriber(email=ADA)

    report("Brevo", event_type=EventType.UNKNOWN, esp_event={"event": "unsubscribed"})

    assert standing() == ("left", "unsubscribed", [])


PASSED_OVER = {
    "brevo/soft_bounce_event": "its own word is soft",
    "mailersend/soft_bounced_event": "its own word is soft",
    "mailgun/dropped_spam": "a filter's opinion of the message",
    "mailjet/bounce_event": "its recipient, invalid@invalid, is nobody's address",
    "mailjet/bounced_greylist_event": "asked to try again",
    "mailtrap/soft_bounce_event": "its own word is soft",
    "postmark/bounce_unsubscribe_variant": "somebody left, of their own accord",
    "sparkpost/bounce_challenge_response": "a program's answer",
}


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded webhooks are not on this machine")
def test_recorded_bounces_and_complaints_suppress_but_for_soft_ones():
    passed_over = set()
    for path in sorted(RECORDED.glob("[a-z]*/*.json")):
        name = re.sub(r"^anymail-\d+-", "", path.stem)
        name = f"{path.parent.name}/{name}"
        recorded = json.loads(path.read_text())
        if any(word in name for word in ("bounce", "complain", "spam")):
            Suppression.objects.all().delete()
            for expected, raw in zip(
                recorded["expected_events"], raw_events(recorded), strict=False
            ):
                said = ("event_type", "recipient", "reject_reason", "metadata", "esp_name")
                report(**{field: expected[field] for field in said}, esp_event=raw)
            if not Suppression.objects.exists():
                passed_over.add(name)

    assert passed_over == set(PASSED_OVER)


def raw_events(recorded: dict[str, Any]) -> list[Any]:
    """What a provider wrote, event by event, as Anymail passes it on."""
    if recorded["body"][:1] not in "{[":
        return [{}]
    body = json.loads(recorded["body"])
    if isinstance(body, list):
        return body
    if "Message" in body:  # Amazon's envelope
        return [json.loads(body["Message"])] * 9
    return body.get("events") or [body]


FULL = {"event_type": EventType.BOUNCED, "reject_reason": RejectReason.OTHER}


def test_five_soft_bounces_in_a_row_are_enough():
    ada = factories.subscriber(email=ADA)

    for number in range(5):
        assert standing() == ("active", "", [])
        report(**FULL, message_id=f"m{number}", metadata={"subscriber": str(ada.public_id)})

    assert standing() == ("left", "unreachable", ["unreachable"])


@pytest.mark.parametrize(
    ("esp_name", "fields"),
    [(esp_name, HARD | {"esp_event": word}) for esp_name, word in SOFT.items()]
    + [
        ("Mailgun", FULL),
        ("Mailtrap", {"event_type": "deferred", "esp_event": {"event": "soft bounce"}}),
        ("Unisender Go", {"event_type": "deferred", "esp_event": {"status": "soft_bounced"}}),
    ],
)
def test_a_soft_bounce_is_counted(esp_name, fields):
    factories.subscriber(email=ADA)

    report(esp_name, message_id="m", **fields)

    assert [row.message for row in SoftBounce.objects.all()] == ["m"]


@pytest.mark.parametrize(
    ("esp_name", "fields"),
    [
        ("Mailgun", {"event_type": "bounced", "reject_reason": "spam"}),
        ("Mailgun", {"event_type": "bounced", "reject_reason": "blocked"}),
        ("Mailtrap", {"event_type": "deferred", "esp_event": {"event": "suspension"}}),
        ("Postmark", {"event_type": "deferred"}),
        ("Postmark", {"event_type": "rejected", "reject_reason": "timed_out"}),
    ],
)
def test_a_delay_or_an_opinion_of_the_message_is_not(esp_name, fields):
    factories.subscriber(email=ADA)

    report(esp_name, message_id="m", **fields)

    assert not SoftBounce.objects.exists()


def test_the_same_delivery_counts_once_whatever_its_message_id():
    factories.subscriber(email=ADA)

    for number in range(5):
        report(**FULL, message_id=f"m{number}", metadata={"delivery": "7"})

    assert standing() == ("active", "", [])


@pytest.mark.parametrize("event_type", ["delivered", "opened", "clicked"])
def test_what_arrives_ends_the_row(event_type):
    factories.subscriber(email=ADA)

    for number in range(8):
        if number == 4:
            report(event_type=event_type, timestamp=NOW - HOUR + timedelta(seconds=3.5))
        report(**FULL, message_id=f"m{number}", timestamp=NOW - HOUR + timedelta(seconds=number))

    assert standing() == ("active", "", [])


@pytest.mark.parametrize("said", [HARD, COMPLAINT, UNSUBSCRIBED])
def test_a_report_from_before_they_took_it_back_is_old_news(said):
    ada = factories.subscriber(email=ADA)
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)
    assert lifecycle.rejoin(ada, NOW)

    report(**said, timestamp=NOW - HOUR)

    assert standing() == ("active", "", [])


def write(envelope: str | None, **fields: Any) -> None:
    """As Anymail tells of a mail that came in."""
    message = AnymailInboundMessage.construct(**{"from_email": "eve@example.net"} | fields)
    message.envelope_recipient = envelope
    event = AnymailInboundEvent(event_type="inbound", message=message, esp_event={})
    inbound.send(sender=object, event=event, esp_name="Postmark")


@pytest.fixture
def mail_is_taken(settings):
    settings.INBOUND_DOMAIN = "in.example.org"
    settings.EMAIL_PROVIDER = "postmark"


@pytest.mark.usefixtures("mail_is_taken")
@pytest.mark.parametrize("headers", [{}, {"Auto-Submitted": "auto-replied"}])
def test_a_mail_to_a_reader_s_own_address_makes_them_leave(headers, mailoutbox, caplog):
    """Whoever wrote it, and without an answer."""
    ada = factories.subscriber(email=ADA)

    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            write(links.unsubscribe_address(ada).upper(), headers=headers, text="please")

    assert standing() == ("left", "unsubscribed", [])
    assert mailoutbox == []
    assert ADA not in caplog.text
    assert "eve@" not in caplog.text


@pytest.mark.usefixtures("mail_is_taken")
def test_without_an_envelope_the_to_of_the_mail_counts():
    ada = factories.subscriber(email=ADA)

    write(None, to=f"Papers <{links.unsubscribe_address(ada)}>, {ADA}")

    assert standing() == ("left", "unsubscribed", [])


@pytest.mark.usefixtures("mail_is_taken")
@pytest.mark.parametrize(
    "to", [None, "", ADA, "unsubscribe@in.example.org", "unsubscribe+abc@in.example.org"]
)
def test_a_mail_from_a_reader_to_anywhere_else_changes_nothing(to):
    factories.subscriber(email=ADA)

    write(to, from_email=ADA, to=ADA, subject="unsubscribe", text="unsubscribe")

    assert standing() == ("active", "", [])


@pytest.mark.usefixtures("mail_is_taken")
def test_the_envelope_counts_more_than_what_the_mail_says():
    ada = factories.subscriber(email=ADA)

    write("hello@in.example.org", to=links.unsubscribe_address(ada))

    assert standing() == ("active", "", [])


def test_a_report_of_mail_without_the_mail_is_harmless():
    event = AnymailInboundEvent(event_type="inbound", message=None, esp_event=None)

    inbound.send_robust(sender=object, event=event, esp_name="Resend")

    assert list(receivers.recipient_addresses(event)) == []
