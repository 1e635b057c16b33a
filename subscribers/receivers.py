"""What providers report about addresses: who cannot be reached, complains or leaves that way."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from uuid import UUID

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.dispatch import receiver
from django.utils import timezone

from subscribers import signup, suppression
from subscribers.addresses import BadAddress, normalise
from subscribers.models import Subscriber, Suppression

Reason = Subscriber.Reason

# Bounces that Anymail says the same of, hard or soft: where the provider's own report tells them
# apart, and what it says of an address that does not exist.
HARD = {
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
DEAD = {RejectReason.BOUNCED, RejectReason.INVALID}
# Reasons to write to an address no more, whatever becomes of its row.
SUPPRESSIONS = {
    Reason.BOUNCED: Suppression.Reason.BOUNCED,
    Reason.COMPLAINED: Suppression.Reason.COMPLAINED,
}


@receiver(tracking, dispatch_uid="subscribers.heed_report")
def heed_report(sender: type, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Repeatable, and in any order: the gravest report about an address is what stays."""
    reason = reason_to_stop(event, esp_name)
    if reason is None:
        return
    subscriber = named_in_metadata(event)
    email = subscriber.email if subscriber else recipient(event)
    if not email:
        return
    subscriber = subscriber or Subscriber.objects.filter(email=email).first()
    if subscriber and is_old_news(event, subscriber):
        return
    now = timezone.now()
    if reason in SUPPRESSIONS:
        suppression.suppress(email, SUPPRESSIONS[reason], now)
    if subscriber:
        signup.leave(subscriber, reason, now)


def reason_to_stop(event: AnymailTrackingEvent, esp_name: str) -> Reason | None:
    match event.event_type:
        case EventType.COMPLAINED:
            return Reason.COMPLAINED
        case EventType.UNSUBSCRIBED:
            return Reason.UNSUBSCRIBED
        case EventType.BOUNCED if is_hard(event, esp_name):
            return Reason.BOUNCED
        # The provider did not even try, for what it remembers of the address.
        case EventType.REJECTED if event.reject_reason in DEAD:
            return Reason.BOUNCED
        case EventType.REJECTED if event.reject_reason == RejectReason.UNSUBSCRIBED:
            return Reason.UNSUBSCRIBED
        case EventType.UNKNOWN if told(event, "event") == "unsubscribed":  # Brevo's word for it
            return Reason.UNSUBSCRIBED
        case _:
            return None


def is_hard(event: AnymailTrackingEvent, esp_name: str) -> bool:
    """Whether the address does not exist; a full mailbox or a spam filter says nothing of that."""
    path, hard = HARD.get(esp_name, ((), set()))
    if (word := told(event, *path)) is not None:
        return word in hard
    return event.reject_reason in DEAD


def told(event: AnymailTrackingEvent, *path: str) -> str | None:
    """What the provider's own report says at this place, if it says something there."""
    found = event.esp_event
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return str(found) if path and found is not None else None


def named_in_metadata(event: AnymailTrackingEvent) -> Subscriber | None:
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    try:
        public_id = UUID(str(metadata.get("subscriber")))
    except ValueError:
        return None
    return Subscriber.objects.filter(public_id=public_id).first()


def recipient(event: AnymailTrackingEvent) -> str:
    """The address as we would have stored it; empty if we never would have."""
    try:
        return normalise(str(event.recipient or ""))
    except BadAddress:
        return ""


def is_old_news(event: AnymailTrackingEvent, subscriber: Subscriber) -> bool:
    """From before they confirmed, perhaps again: then it was heeded, and is repeated."""
    moment, confirmed_at = event.timestamp, subscriber.confirmed_at
    if moment is None or confirmed_at is None:
        return False
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment, UTC)
    return moment < confirmed_at
