"""subscribers/mail/tracking_events.py"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.conf import settings as project

from subscribers import receivers
from subscribers.mail import tracking_events
from subscribers.mail.tracking_events import AddressEvent
from tests import factories

NOW = factories.NOW
HOUR = timedelta(hours=1)
ADA = "ada@example.org"
RECORDED_WEBHOOKS = Path(project.BASE_DIR).parent / "shared" / "data" / "webhooks"

EVENT_TYPES = {value for name, value in vars(EventType).items() if name.isupper()}
SILENT_EVENT_TYPES = EVENT_TYPES - {
    *tracking_events.DELIVERED_EVENTS,
    EventType.BOUNCED,
    EventType.COMPLAINED,
    EventType.UNSUBSCRIBED,
    EventType.REJECTED,
}
# One soft bounce of each provider whose own event distinguishes them.
SOFT_BOUNCES: dict[str, dict[str, Any]] = {
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


def make_event(event_type: str = EventType.BOUNCED, **fields: Any) -> AnymailTrackingEvent:
    return AnymailTrackingEvent(event_type=event_type, **fields)


def classify(esp_name: str, event_type: str, **fields: Any) -> AddressEvent | None:
    return tracking_events.classify(make_event(event_type, **fields), esp_name)


@pytest.mark.parametrize(
    ("event_type", "reject_reason", "expected"),
    [
        (EventType.BOUNCED, RejectReason.BOUNCED, AddressEvent.HARD_BOUNCE),
        (EventType.BOUNCED, RejectReason.INVALID, AddressEvent.HARD_BOUNCE),
        (EventType.BOUNCED, RejectReason.TIMED_OUT, AddressEvent.SOFT_BOUNCE),
        (EventType.BOUNCED, RejectReason.OTHER, AddressEvent.SOFT_BOUNCE),
        (EventType.BOUNCED, None, AddressEvent.SOFT_BOUNCE),
        (EventType.BOUNCED, RejectReason.BLOCKED, None),
        (EventType.BOUNCED, RejectReason.SPAM, None),
        (EventType.BOUNCED, RejectReason.UNSUBSCRIBED, None),
        (EventType.REJECTED, RejectReason.BOUNCED, AddressEvent.HARD_BOUNCE),
        (EventType.REJECTED, RejectReason.INVALID, AddressEvent.HARD_BOUNCE),
        (EventType.REJECTED, RejectReason.UNSUBSCRIBED, AddressEvent.UNSUBSCRIBE),
        (EventType.REJECTED, RejectReason.TIMED_OUT, None),
        (EventType.REJECTED, RejectReason.BLOCKED, None),
        (EventType.REJECTED, RejectReason.SPAM, None),
        (EventType.REJECTED, RejectReason.OTHER, None),
        (EventType.REJECTED, None, None),
        (EventType.COMPLAINED, RejectReason.SPAM, AddressEvent.COMPLAINT),
        (EventType.UNSUBSCRIBED, None, AddressEvent.UNSUBSCRIBE),
        (EventType.DELIVERED, None, AddressEvent.DELIVERED),
        (EventType.OPENED, None, AddressEvent.DELIVERED),
        (EventType.CLICKED, None, AddressEvent.DELIVERED),
    ],
)
def test_an_event_is_classified_by_its_type_and_reject_reason(
    event_type: str, reject_reason: str | None, expected: AddressEvent | None
) -> None:
    assert classify("Some ESP", event_type, reject_reason=reject_reason) == expected


@pytest.mark.parametrize("event_type", sorted(SILENT_EVENT_TYPES))
def test_other_event_types_mean_nothing_for_the_address(event_type: str) -> None:
    assert classify("Some ESP", event_type, reject_reason=RejectReason.BOUNCED) is None


@pytest.mark.parametrize("esp_name", SOFT_BOUNCES)
def test_the_provider_s_own_field_decides_that_a_bounce_is_soft(esp_name: str) -> None:
    address_event = classify(
        esp_name,
        EventType.BOUNCED,
        reject_reason=RejectReason.BOUNCED,
        esp_event=SOFT_BOUNCES[esp_name],
    )

    assert address_event == AddressEvent.SOFT_BOUNCE


def test_every_provider_with_a_field_of_its_own_has_an_example() -> None:
    assert set(SOFT_BOUNCES) == set(tracking_events.HARD_BOUNCE_FIELDS)


@pytest.mark.parametrize("esp_event", [None, "text", [], {}, {"bounce": None}, {"bounce": []}])
def test_without_the_provider_s_own_field_anymail_s_reason_decides(esp_event: Any) -> None:
    address_event = classify(
        "Amazon SES", EventType.BOUNCED, reject_reason=RejectReason.BOUNCED, esp_event=esp_event
    )

    assert address_event == AddressEvent.HARD_BOUNCE


@pytest.mark.parametrize(
    ("esp_name", "esp_event", "expected"),
    [
        ("Mailtrap", {"event": "soft bounce"}, AddressEvent.SOFT_BOUNCE),
        ("Unisender Go", {"status": "soft_bounced"}, AddressEvent.SOFT_BOUNCE),
        ("Mailtrap", {"event": "suspension"}, None),
        ("Postmark", None, None),
    ],
)
def test_a_delay_is_a_soft_bounce_only_where_the_provider_calls_it_one(
    esp_name: str, esp_event: Any, expected: AddressEvent | None
) -> None:
    assert classify(esp_name, EventType.DEFERRED, esp_event=esp_event) == expected


def test_brevo_s_own_event_for_unsubscribing_is_recognised() -> None:
    address_event = classify("Brevo", EventType.UNKNOWN, esp_event={"event": "unsubscribed"})

    assert address_event == AddressEvent.UNSUBSCRIBE


# Recorded bounces and complaints that suppress no address, and why.
NOT_SUPPRESSING = {
    "brevo/soft_bounce_event": "a soft bounce by its own field",
    "mailersend/soft_bounced_event": "a soft bounce by its own field",
    "mailgun/dropped_spam": "a filter's verdict on the message",
    "mailjet/bounce_event": "its recipient, invalid@invalid, is not a valid address",
    "mailjet/bounced_greylist_event": "a request to try again",
    "mailtrap/soft_bounce_event": "a soft bounce by its own field",
    "postmark/bounce_unsubscribe_variant": "the recipient unsubscribed",
    "sparkpost/bounce_challenge_response": "an automatic reply",
}


@pytest.mark.skipif(
    not RECORDED_WEBHOOKS.exists(), reason="the recorded webhooks are not on this machine"
)
def test_recorded_bounces_and_complaints_suppress_unless_listed() -> None:
    not_suppressing = set()
    for path in sorted(RECORDED_WEBHOOKS.glob("[a-z]*/*.json")):
        event_name = re.sub(r"^anymail-\d+-", "", path.stem)
        name = f"{path.parent.name}/{event_name}"
        if any(word in name for word in ("bounce", "complain", "spam")) and not any(
            suppresses_an_address(event, esp_name) for event, esp_name in recorded_events(path)
        ):
            not_suppressing.add(name)

    assert not_suppressing == set(NOT_SUPPRESSING)


def suppresses_an_address(event: AnymailTrackingEvent, esp_name: str) -> bool:
    return tracking_events.classify(event, esp_name) in receivers.SUPPRESSION_REASONS and bool(
        tracking_events.normalised_recipient(event)
    )


def recorded_events(path: Path) -> list[tuple[AnymailTrackingEvent, str]]:
    recorded = json.loads(path.read_text())
    fields = ("event_type", "recipient", "reject_reason", "metadata")
    return [
        (
            make_event(**{name: expected[name] for name in fields}, esp_event=esp_event),
            expected["esp_name"],
        )
        for expected, esp_event in zip(
            recorded["expected_events"], raw_events(recorded), strict=False
        )
    ]


def raw_events(recorded: dict[str, Any]) -> list[Any]:
    """Return what the provider sent, event by event, as Anymail passes it on."""
    if recorded["body"][:1] not in "{[":
        return [{}]
    body = json.loads(recorded["body"])
    if isinstance(body, list):
        return body
    if "Message" in body:  # Amazon's envelope.
        return [json.loads(body["Message"])] * 9
    return body.get("events") or [body]


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        (" Ada@EXAMPLE.org", ADA),
        (None, ""),
        ("", ""),
        ("ada", ""),
        ("ada@example.org\r\nBcc: eve@example.org", ""),
        ("\x00", ""),
        ("x" * 10_000, ""),
        (7, ""),
        (["a"], ""),
    ],
    ids=["spelling", "None", "empty", "no domain", "header", "NUL", "long", "number", "list"],
)
def test_a_recipient_is_normalised_or_empty(recipient: Any, expected: str) -> None:
    assert tracking_events.normalised_recipient(make_event(recipient=recipient)) == expected


@pytest.mark.parametrize("metadata", [None, {}, {"subscriber": ""}, {"subscriber": "x\x00"}, []])
def test_metadata_without_our_id_names_no_subscriber(metadata: Any) -> None:
    assert tracking_events.public_id_from_metadata(make_event(metadata=metadata)) is None


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (NOW, NOW),
        (NOW.replace(tzinfo=None), NOW),
        (None, NOW - HOUR),
        ("yesterday", NOW - HOUR),
        (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
    ],
    ids=["aware", "naive", "missing", "text", "end of time"],
)
def test_an_event_time_is_in_utc_or_the_default(timestamp: Any, expected: datetime) -> None:
    event = make_event(timestamp=timestamp)

    assert tracking_events.event_time(event, default=NOW - HOUR) == expected


def test_an_event_time_beyond_the_calendar_in_utc_is_the_default() -> None:
    timestamp = datetime.min.replace(tzinfo=timezone(HOUR))

    assert tracking_events.event_time(make_event(timestamp=timestamp), default=NOW) == NOW


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"message_id": "m"}, "m"),
        ({"message_id": "m", "metadata": {"delivery": "7"}}, "delivery 7"),
        ({"metadata": []}, NOW.isoformat()),
        ({"message_id": "\x00\ud800" + "x" * 300}, "x" * 255),
    ],
    ids=["message id", "delivery", "neither", "not storable"],
)
def test_a_message_key_prefers_our_delivery_and_fits_the_column(
    fields: dict[str, Any], expected: str
) -> None:
    assert tracking_events.message_key(make_event(**fields), NOW) == expected


@pytest.mark.django_db
def test_a_subscriber_is_found_by_metadata_before_the_address_in_one_query(
    django_assert_num_queries: Any,
) -> None:
    ada, ben = factories.subscriber(email=ADA), factories.subscriber()
    unknown = {"subscriber": str(uuid4())}

    with django_assert_num_queries(3):
        assert tracking_events.find_subscriber(make_event(recipient=ADA)) == ada
        assert tracking_events.find_subscriber(make_event(recipient=ADA, metadata=unknown)) == ada
        assert (
            tracking_events.find_subscriber(
                make_event(recipient=ADA, metadata={"subscriber": str(ben.public_id)})
            )
            == ben
        )


@pytest.mark.django_db
def test_an_event_about_nobody_finds_nobody_without_a_query(
    django_assert_num_queries: Any,
) -> None:
    factories.subscriber()

    with django_assert_num_queries(0):
        assert tracking_events.find_subscriber(make_event(recipient="ada", metadata=None)) is None
