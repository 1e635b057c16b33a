"""What providers report about addresses: who cannot be reached, complains or leaves that way.

Leaving by mail comes in here too: a program may write to the address in List-Unsubscribe instead.
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

# Bounces that Anymail says the same of, hard or soft: where the provider's own report tells them
# apart, and what it says of an address that does not exist.
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
# What comes back for what it is, or for who we are, says nothing of the address.
NON_ADDRESS_REASONS = {RejectReason.SPAM, RejectReason.BLOCKED, RejectReason.UNSUBSCRIBED}
# Soft bounces that Anymail takes for a delay.
SOFT_BOUNCE_FIELDS = {
    "Mailtrap": (("event",), {"soft bounce"}),
    "Unisender Go": (("status",), {"soft_bounced"}),
}
DELIVERED_EVENTS = {EventType.DELIVERED, EventType.OPENED, EventType.CLICKED}
# Reasons to write to an address no more, whatever becomes of its row.
SUPPRESSION_REASONS = {
    LeftReason.BOUNCED: Suppression.Reason.BOUNCED,
    LeftReason.COMPLAINED: Suppression.Reason.COMPLAINED,
}


@receiver(tracking, dispatch_uid="subscribers.heed_report")
def handle_tracking(sender: type, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Repeatable, and in any order: the gravest report about an address is what stays."""
    if event.event_type in DELIVERED_EVENTS or is_soft_bounce(event, esp_name):
        record_delivery_or_bounce(event)
        return
    reason = left_reason_for_event(event, esp_name)
    if reason is None:
        return
    subscriber = subscriber_from_metadata(event)
    email = subscriber.email if subscriber else normalised_recipient(event)
    if not email:
        return
    subscriber = subscriber or Subscriber.objects.filter(email=email).first()
    if subscriber and predates_confirmation(event, subscriber):
        return
    now = timezone.now()
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
        # The provider did not even try, for what it remembers of the address.
        case EventType.REJECTED if event.reject_reason in INVALID_ADDRESS_REASONS:
            return LeftReason.BOUNCED
        case EventType.REJECTED if event.reject_reason == RejectReason.UNSUBSCRIBED:
            return LeftReason.UNSUBSCRIBED
        case EventType.UNKNOWN if (
            esp_event_value(event, "event") == "unsubscribed"
        ):  # Brevo's word for it
            return LeftReason.UNSUBSCRIBED
        case _:
            return None


def is_hard_bounce(event: AnymailTrackingEvent, esp_name: str) -> bool:
    """Whether the address does not exist; a full mailbox or a spam filter says nothing of that."""
    path, hard = HARD_BOUNCE_FIELDS.get(esp_name, ((), set()))
    if (word := esp_event_value(event, *path)) is not None:
        return word in hard
    return event.reject_reason in INVALID_ADDRESS_REASONS


def is_soft_bounce(event: AnymailTrackingEvent, esp_name: str) -> bool:
    """Whether it came back, from an address that may exist."""
    if event.event_type == EventType.BOUNCED:
        return (
            not is_hard_bounce(event, esp_name) and event.reject_reason not in NON_ADDRESS_REASONS
        )
    path, soft = SOFT_BOUNCE_FIELDS.get(esp_name, ((), set()))
    return event.event_type == EventType.DEFERRED and esp_event_value(event, *path) in soft


def record_delivery_or_bounce(event: AnymailTrackingEvent) -> None:
    """One more that arrived or came back: several that came back in a row are enough."""
    subscriber = subscriber_from_metadata(event)
    if subscriber is None and (email := normalised_recipient(event)):
        subscriber = Subscriber.objects.filter(email=email).first()
    if subscriber is None:
        return
    now = timezone.now()
    at = event_time(event, default=now)
    if event.event_type in DELIVERED_EVENTS:
        bounces.record_delivery(subscriber, delivered_at=at, now=now)
    else:
        bounces.record_soft_bounce(subscriber, message_key(event, at), happened_at=at, now=now)


def message_key(event: AnymailTrackingEvent, happened_at: datetime) -> str:
    """Which message: one may come back several times, as its provider tries again."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    delivery, message_id = metadata.get("delivery"), event.message_id
    return to_db_text(
        f"delivery {delivery}" if delivery else str(message_id or happened_at.isoformat())
    )


def esp_event_value(event: AnymailTrackingEvent, *path: str) -> str | None:
    """What the provider's own report says at this place, if it says something there."""
    found = event.esp_event
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return str(found) if path and found is not None else None


def subscriber_from_metadata(event: AnymailTrackingEvent) -> Subscriber | None:
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    try:
        public_id = UUID(str(metadata.get("subscriber")))
    except ValueError:
        return None
    return Subscriber.objects.filter(public_id=public_id).first()


def normalised_recipient(event: AnymailTrackingEvent) -> str:
    """The address as we would have stored it; empty if we never would have."""
    try:
        return normalise_address(str(event.recipient or ""))
    except InvalidAddressError:
        return ""


def predates_confirmation(event: AnymailTrackingEvent, subscriber: Subscriber) -> bool:
    """From before they confirmed or came back, perhaps again: then it was heeded, and is repeated."""
    since = max(filter(None, [subscriber.confirmed_at, subscriber.rejoined_at]), default=None)
    if event.timestamp is None or since is None:
        return False
    return event_time(event, default=since) < since


def event_time(event: AnymailTrackingEvent, *, default: datetime) -> datetime:
    """When it happened, by the provider's clock; some providers do not name their time zone."""
    if not isinstance(event.timestamp, datetime):
        return default
    try:
        return (
            event.timestamp.astimezone(UTC)
            if event.timestamp.tzinfo
            else event.timestamp.replace(tzinfo=UTC)
        )
    except OverflowError:  # in the year 1 or 9999, and in UTC outside of all years
        return default


def to_db_text(text: str) -> str:
    """Without what no database can hold: a NUL, half a character, more than the column."""
    return text.replace("\x00", "").encode(errors="ignore").decode()[:255]


@receiver(inbound, dispatch_uid="subscribers.heed_mail")
def handle_inbound(sender: type, event: AnymailInboundEvent, esp_name: str, **_: Any) -> None:
    """Somebody left by mail. Whose mail it was is in the address it went to, signed by us.

    Who wrote it does not matter, for anybody can write any sender; nor does what it says. Nothing
    is answered, so that no two programs can keep each other busy.
    """
    for address in recipient_addresses(event):
        try:
            subscriber = links.read_unsubscribe_address(address)
        except links.InvalidLinkError:
            continue
        lifecycle.leave(subscriber, LeftReason.UNSUBSCRIBED, timezone.now())
        logger.info("subscriber %s: left by mail", subscriber.pk)


def recipient_addresses(event: AnymailInboundEvent) -> Iterator[str]:
    """Where a mail went: by its envelope or, where the provider tells none, by its To."""
    message = event.message
    if message is not None and message.envelope_recipient:
        yield str(message.envelope_recipient)
        return
    if message is not None:
        yield from (address.addr_spec for address in message.to or ())
    data = event.esp_event.get("data") if isinstance(event.esp_event, dict) else None
    to = data.get("to") if isinstance(data, dict) else None  # Resend's
    yield from map(str, to if isinstance(to, list) else ())
