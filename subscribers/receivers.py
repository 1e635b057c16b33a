"""Act on what providers report about addresses: bounces, complaints and unsubscriptions.

Guarantee: events may be repeated and arrive in any order; the gravest report about an address is what
stays. Each handler writes the subscriber's row and the suppression list only; the delivery is updated
by newsletter/events/receivers.py. Cost: at most two queries to find the subscriber.

Mail to the address in List-Unsubscribe is handled here too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from anymail.signals import (
    AnymailInboundEvent,
    AnymailTrackingEvent,
    EventType,
    RejectReason,
    inbound,
    tracking,
)
from django.dispatch import receiver
from django.utils import timezone

from subscribers import bounces, suppression
from subscribers.addresses import InvalidAddressError, normalise_address
from subscribers.mail import links
from subscribers.models import Subscriber, Suppression
from subscribers.signup import lifecycle

logger = logging.getLogger(__name__)

LeftReason = Subscriber.LeftReason

# Anymail does not distinguish hard from soft bounces here: the field of the provider's own event that
# does, and its values for a hard bounce.
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
INVALID_ADDRESS_REASONS = {RejectReason.BOUNCED, RejectReason.INVALID}
# Rejected for its content or its sender: no statement about the address.
NON_ADDRESS_REASONS = {RejectReason.SPAM, RejectReason.BLOCKED, RejectReason.UNSUBSCRIBED}
# Soft bounces that Anymail reports as deferred.
SOFT_BOUNCE_FIELDS = {
    "Mailtrap": (("event",), {"soft bounce"}),
    "Unisender Go": (("status",), {"soft_bounced"}),
}
DELIVERED_EVENTS = {EventType.DELIVERED, EventType.OPENED, EventType.CLICKED}
# Reasons that suppress the address, whatever happens to its row.
SUPPRESSION_REASONS = {
    LeftReason.BOUNCED: Suppression.Reason.BOUNCED,
    LeftReason.COMPLAINED: Suppression.Reason.COMPLAINED,
}


@receiver(tracking, dispatch_uid="subscribers.heed_report")
def handle_tracking(sender: type, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    signal = classify(event, esp_name)
    if signal is None:
        return
    subscriber, email = resolve(event)
    now = timezone.now()
    if isinstance(signal, LeftReason):
        apply_left_reason(signal, event, subscriber, email, now=now)
    elif subscriber:
        record_delivery_or_bounce(signal, event, subscriber, now=now)


def classify(event: AnymailTrackingEvent, esp_name: str) -> LeftReason | EventType | None:
    """Return the reason to leave that an event gives, DELIVERED or DEFERRED (a soft bounce), or None."""
    if event.event_type in DELIVERED_EVENTS:
        return EventType.DELIVERED
    if is_soft_bounce(event, esp_name):
        return EventType.DEFERRED
    return left_reason_for_event(event, esp_name)


def resolve(event: AnymailTrackingEvent) -> tuple[Subscriber | None, str]:
    """Return the subscriber of an event, by our metadata or else by address, and the address."""
    if subscriber := subscriber_from_metadata(event):
        return subscriber, subscriber.email
    email = normalised_recipient(event)
    return Subscriber.objects.filter(email=email).first() if email else None, email


def apply_left_reason(
    reason: LeftReason,
    event: AnymailTrackingEvent,
    subscriber: Subscriber | None,
    email: str,
    *,
    now: datetime,
) -> None:
    if not email or (subscriber and predates_confirmation(event, subscriber)):
        return
    if reason in SUPPRESSION_REASONS:
        suppression.suppress(email, SUPPRESSION_REASONS[reason], now)
    if subscriber:
        lifecycle.leave(subscriber, reason, now)


def left_reason_for_event(event: AnymailTrackingEvent, esp_name: str) -> LeftReason | None:
    match event.event_type:
        case EventType.COMPLAINED:
            return LeftReason.COMPLAINED
        case EventType.UNSUBSCRIBED:
            return LeftReason.UNSUBSCRIBED
        case EventType.BOUNCED if is_hard_bounce(event, esp_name):
            return LeftReason.BOUNCED
        # The provider did not try, because of what it has stored about the address.
        case EventType.REJECTED if event.reject_reason in INVALID_ADDRESS_REASONS:
            return LeftReason.BOUNCED
        case EventType.REJECTED if event.reject_reason == RejectReason.UNSUBSCRIBED:
            return LeftReason.UNSUBSCRIBED
        case EventType.UNKNOWN if esp_event_value(event, "event") == "unsubscribed":  # Brevo
            return LeftReason.UNSUBSCRIBED
        case _:
            return None


def is_hard_bounce(event: AnymailTrackingEvent, esp_name: str) -> bool:
    """Return whether the address does not exist; a full mailbox or a spam filter is no proof."""
    path, hard = HARD_BOUNCE_FIELDS.get(esp_name, ((), set()))
    if (value := esp_event_value(event, *path)) is not None:
        return value in hard
    return event.reject_reason in INVALID_ADDRESS_REASONS


def is_soft_bounce(event: AnymailTrackingEvent, esp_name: str) -> bool:
    """Return whether the message bounced from an address that may exist."""
    if event.event_type == EventType.BOUNCED:
        return (
            not is_hard_bounce(event, esp_name) and event.reject_reason not in NON_ADDRESS_REASONS
        )
    path, soft = SOFT_BOUNCE_FIELDS.get(esp_name, ((), set()))
    return event.event_type == EventType.DEFERRED and esp_event_value(event, *path) in soft


def record_delivery_or_bounce(
    signal: EventType, event: AnymailTrackingEvent, subscriber: Subscriber, *, now: datetime
) -> None:
    at = event_time(event, default=now)
    if signal == EventType.DELIVERED:
        bounces.record_delivery(subscriber, delivered_at=at, now=now)
    else:
        bounces.record_soft_bounce(subscriber, message_key(event, at), happened_at=at, now=now)


def message_key(event: AnymailTrackingEvent, happened_at: datetime) -> str:
    """Return which message an event concerns: a provider may report one bounce several times."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    delivery, message_id = metadata.get("delivery"), event.message_id
    return to_db_text(
        f"delivery {delivery}" if delivery else str(message_id or happened_at.isoformat())
    )


def esp_event_value(event: AnymailTrackingEvent, *path: str) -> str | None:
    """Return a field of the provider's own event as text; None if it has none."""
    value = event.esp_event
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return str(value) if path and value is not None else None


def subscriber_from_metadata(event: AnymailTrackingEvent) -> Subscriber | None:
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    try:
        public_id = UUID(str(metadata.get("subscriber")))
    except ValueError:
        return None
    return Subscriber.objects.filter(public_id=public_id).first()


def normalised_recipient(event: AnymailTrackingEvent) -> str:
    """Return the recipient as we store addresses; empty if it is invalid."""
    try:
        return normalise_address(str(event.recipient or ""))
    except InvalidAddressError:
        return ""


def predates_confirmation(event: AnymailTrackingEvent, subscriber: Subscriber) -> bool:
    """Return whether an event is older than the last confirmation or return of the subscriber.

    Such an event has been acted on already, and must not undo the confirmation.
    """
    since = max(filter(None, [subscriber.confirmed_at, subscriber.rejoined_at]), default=None)
    if event.timestamp is None or since is None:
        return False
    return event_time(event, default=since) < since


def event_time(event: AnymailTrackingEvent, *, default: datetime) -> datetime:
    """Return when an event happened, in UTC; some providers omit the time zone."""
    if not isinstance(event.timestamp, datetime):
        return default
    try:
        return (
            event.timestamp.astimezone(UTC)
            if event.timestamp.tzinfo
            else event.timestamp.replace(tzinfo=UTC)
        )
    except OverflowError:  # in UTC it would be before year 1 or after 9999
        return default


def to_db_text(text: str) -> str:
    """Return a text without NUL and lone surrogates, cut to the column's length."""
    return text.replace("\x00", "").encode(errors="ignore").decode()[:255]


@receiver(inbound, dispatch_uid="subscribers.heed_mail")
def handle_inbound(sender: type, event: AnymailInboundEvent, esp_name: str, **_: Any) -> None:
    """Unsubscribe the reader whose signed address a mail was sent to.

    Ignore its sender, which anybody can forge, and its content. Send no reply, so that two programs
    cannot answer each other for ever.
    """
    for address in recipient_addresses(event):
        try:
            subscriber = links.read_unsubscribe_address(address)
        except links.InvalidLinkError:
            continue
        lifecycle.leave(subscriber, LeftReason.UNSUBSCRIBED, timezone.now())
        logger.info("subscriber %s: left by mail", subscriber.pk)


def recipient_addresses(event: AnymailInboundEvent) -> Iterator[str]:
    """Yield the recipients of a mail: of its envelope or, without one, of its To header."""
    message = event.message
    if message is not None and message.envelope_recipient:
        yield str(message.envelope_recipient)
        return
    if message is not None:
        yield from (address.addr_spec for address in message.to or ())
    data = event.esp_event.get("data") if isinstance(event.esp_event, dict) else None
    to = data.get("to") if isinstance(data, dict) else None  # Resend
    yield from map(str, to if isinstance(to, list) else ())
