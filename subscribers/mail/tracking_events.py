"""Read Anymail's tracking events: their meaning for an address, their subscriber, their time.

Anymail normalises the events of all providers, but not everything: hard and soft bounces often look
alike, recipients and times may be missing or malformed. The functions here accept any event without
raising. Only `find_subscriber` and `subscriber_from_metadata` query the database, once each.
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.db.models import Q

from subscribers.addresses import InvalidAddressError, normalise_address
from subscribers.models import Subscriber

# Where a provider's own event distinguishes hard from soft bounces, and the values that mean hard.
HARD_BOUNCE_FIELDS = {
    "Amazon SES": (("bounce", "bounceType"), {"Permanent"}),
    "Brevo": (("event",), {"hard_bounce", "invalid_email"}),
    "MailerSend": (("data", "type"), {"hard_bounced"}),
    "Mailjet": (("hard_bounce",), {"True"}),
    "Mandrill": (("event",), {"hard_bounce"}),
    "Postmark": (("Type",), {"HardBounce", "BadEmailAddress"}),
    "Resend": (("data", "bounce", "type"), {"Permanent"}),
    "SendGrid": (("type",), {"bounce"}),
    "SparkPost": (("msys", "message_event", "bounce_class"), {"10", "30"}),
}
# Soft bounces that Anymail reports as deferred.
SOFT_BOUNCE_FIELDS = {
    "Mailtrap": (("event",), {"soft bounce"}),
    "Unisender Go": (("status",), {"soft_bounced"}),
}
INVALID_ADDRESS_REASONS = {RejectReason.BOUNCED, RejectReason.INVALID}
# These concern the message or its sender and say nothing about the address.
NON_ADDRESS_REASONS = {RejectReason.SPAM, RejectReason.BLOCKED, RejectReason.UNSUBSCRIBED}
DELIVERED_EVENTS = {EventType.DELIVERED, EventType.OPENED, EventType.CLICKED}
# The width of the columns that hold identifiers from providers.
MAX_DB_TEXT_CHARS = 255


class AddressEvent(enum.Enum):
    """What a tracking event means for the recipient's address."""

    DELIVERED = "a message was delivered"
    SOFT_BOUNCE = "a message came back, but the address may exist"
    HARD_BOUNCE = "the address does not exist"
    COMPLAINT = "the recipient reported a message as spam"
    UNSUBSCRIBE = "the recipient unsubscribed at the provider"


def classify(event: AnymailTrackingEvent, esp_name: str) -> AddressEvent | None:
    """Return what an event means for its address; None if it means nothing."""
    match event.event_type:
        case event_type if event_type in DELIVERED_EVENTS:
            return AddressEvent.DELIVERED
        case EventType.COMPLAINED:
            return AddressEvent.COMPLAINT
        case EventType.UNSUBSCRIBED:
            return AddressEvent.UNSUBSCRIBE
        case EventType.BOUNCED:
            return classify_bounce(event, esp_name)
        case EventType.DEFERRED if is_deferred_soft_bounce(event, esp_name):
            return AddressEvent.SOFT_BOUNCE
        # The provider did not send, because of what it stored about the address.
        case EventType.REJECTED if event.reject_reason in INVALID_ADDRESS_REASONS:
            return AddressEvent.HARD_BOUNCE
        case EventType.REJECTED if event.reject_reason == RejectReason.UNSUBSCRIBED:
            return AddressEvent.UNSUBSCRIBE
        # Anymail does not know this event of Brevo's.
        case EventType.UNKNOWN if esp_event_value(event, "event") == "unsubscribed":
            return AddressEvent.UNSUBSCRIBE
        case _:
            return None


def classify_bounce(event: AnymailTrackingEvent, esp_name: str) -> AddressEvent | None:
    """Distinguish hard from soft bounces, by the provider's own field if there is one.

    A full mailbox or a spam filter does not make an address invalid.
    """
    path, hard_values = HARD_BOUNCE_FIELDS.get(esp_name, ((), set()))
    value = esp_event_value(event, *path)
    is_hard = (
        value in hard_values
        if value is not None
        else event.reject_reason in INVALID_ADDRESS_REASONS
    )
    if is_hard:
        return AddressEvent.HARD_BOUNCE
    return None if event.reject_reason in NON_ADDRESS_REASONS else AddressEvent.SOFT_BOUNCE


def is_deferred_soft_bounce(event: AnymailTrackingEvent, esp_name: str) -> bool:
    path, soft_values = SOFT_BOUNCE_FIELDS.get(esp_name, ((), set()))
    return esp_event_value(event, *path) in soft_values


def esp_event_value(event: AnymailTrackingEvent, *path: str) -> str | None:
    """Return the value at a path in the provider's own event, or None."""
    value = event.esp_event
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return str(value) if path and value is not None else None


def find_subscriber(event: AnymailTrackingEvent) -> Subscriber | None:
    """Return the subscriber of our metadata, else the one with the recipient's address.

    One query for both. Metadata comes first: a forwarded mail is reported with another address.
    """
    public_id, email = public_id_from_metadata(event), normalised_recipient(event)
    matches = Q(email=email) if email else Q()
    if public_id:
        matches |= Q(public_id=public_id)
    if not matches:  # An empty filter would match every subscriber.
        return None
    candidates = Subscriber.objects.filter(matches)
    return min(candidates, key=lambda candidate: candidate.public_id != public_id, default=None)


def subscriber_from_metadata(event: AnymailTrackingEvent) -> Subscriber | None:
    public_id = public_id_from_metadata(event)
    return Subscriber.objects.filter(public_id=public_id).first() if public_id else None


def public_id_from_metadata(event: AnymailTrackingEvent) -> UUID | None:
    try:
        return UUID(str(event_metadata(event).get("subscriber")))
    except ValueError:
        return None


def event_metadata(event: AnymailTrackingEvent) -> dict[str, Any]:
    return event.metadata if isinstance(event.metadata, dict) else {}


def normalised_recipient(event: AnymailTrackingEvent) -> str:
    """Return the recipient in our spelling; empty if it is not a valid address."""
    try:
        return normalise_address(str(event.recipient or ""))
    except InvalidAddressError:
        return ""


def event_time(event: AnymailTrackingEvent, *, default: datetime) -> datetime:
    """Return the provider's time of the event in UTC; a time without a zone counts as UTC."""
    if not isinstance(event.timestamp, datetime):
        return default
    try:
        return (
            event.timestamp.astimezone(UTC)
            if event.timestamp.tzinfo
            else event.timestamp.replace(tzinfo=UTC)
        )
    except OverflowError:  # In the year 1 or 9999, and outside of them in UTC.
        return default


def message_key(event: AnymailTrackingEvent, happened_at: datetime) -> str:
    """Return a key for the message, the same for each report of one message.

    A provider that tries again may report several bounces of one message.
    """
    delivery = event_metadata(event).get("delivery")
    message_id = event.message_id or happened_at.isoformat()
    return to_db_text(f"delivery {delivery}" if delivery else str(message_id))


def to_db_text(text: str) -> str:
    """Return the text without what a text column cannot store: NUL, surrogates, excess length."""
    return text.replace("\x00", "").encode(errors="ignore").decode()[:MAX_DB_TEXT_CHARS]
