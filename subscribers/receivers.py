"""Apply what mail providers report: bounces, complaints, deliveries and unsubscribe mails.

Guarantee: the result does not depend on the order or the number of reports. The most severe report
about an address persists, and a report from before the latest confirmation changes nothing. These
receivers write only through subscribers/suppression.py, bounces.py and signup/lifecycle.py, whose
functions are idempotent. newsletter/events applies each event in one transaction and repeats it
after a crash. Cost: one query to find the subscriber, plus the queries of the function that applies
the event.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from anymail.signals import AnymailInboundEvent, AnymailTrackingEvent, inbound, tracking
from django.dispatch import receiver
from django.utils import timezone

from subscribers import bounces, suppression
from subscribers.mail import links, tracking_events
from subscribers.mail.tracking_events import AddressEvent
from subscribers.models import Subscriber, Suppression
from subscribers.signup import lifecycle

logger = logging.getLogger(__name__)

LeftReason = Subscriber.LeftReason

LEFT_REASONS = {
    AddressEvent.HARD_BOUNCE: LeftReason.BOUNCED,
    AddressEvent.COMPLAINT: LeftReason.COMPLAINED,
    AddressEvent.UNSUBSCRIBE: LeftReason.UNSUBSCRIBED,
}
# These also suppress the address, whether or not it has a subscriber.
SUPPRESSION_REASONS = {
    AddressEvent.HARD_BOUNCE: Suppression.Reason.BOUNCED,
    AddressEvent.COMPLAINT: Suppression.Reason.COMPLAINED,
}


@receiver(tracking, dispatch_uid="subscribers.heed_report")
def handle_tracking(sender: type, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Apply a tracking event to its address; idempotent, and independent of order."""
    address_event = tracking_events.classify(event, esp_name)
    if address_event is None:
        return
    subscriber = tracking_events.find_subscriber(event)
    now = timezone.now()
    if address_event in LEFT_REASONS:
        end_subscription(event, address_event, subscriber, now=now)
    elif subscriber:
        record_delivery_or_bounce(event, address_event, subscriber, now=now)


def end_subscription(
    event: AnymailTrackingEvent,
    address_event: AddressEvent,
    subscriber: Subscriber | None,
    *,
    now: datetime,
) -> None:
    """Suppress the address if the event requires it, and unsubscribe its subscriber.

    Do nothing for an event from before the subscriber's latest confirmation: it was applied then.
    """
    if subscriber and predates_confirmation(event, subscriber):
        return
    email = subscriber.email if subscriber else tracking_events.normalised_recipient(event)
    if email and address_event in SUPPRESSION_REASONS:
        suppression.suppress(email, SUPPRESSION_REASONS[address_event], now)
    if subscriber:
        lifecycle.leave(subscriber, LEFT_REASONS[address_event], now)


def record_delivery_or_bounce(
    event: AnymailTrackingEvent,
    address_event: AddressEvent,
    subscriber: Subscriber,
    *,
    now: datetime,
) -> None:
    """Pass a delivery or a soft bounce to the soft-bounce policy."""
    happened_at = tracking_events.event_time(event, default=now)
    if address_event == AddressEvent.DELIVERED:
        bounces.record_delivery(subscriber, delivered_at=happened_at, now=now)
    else:
        message_key = tracking_events.message_key(event, happened_at)
        bounces.record_soft_bounce(subscriber, message_key, happened_at=happened_at, now=now)


def predates_confirmation(event: AnymailTrackingEvent, subscriber: Subscriber) -> bool:
    """Return whether an event happened before the subscriber last confirmed or rejoined.

    Providers repeat reports, sometimes after the subscriber has returned. An event without a time
    does not count as old.
    """
    since = max(filter(None, [subscriber.confirmed_at, subscriber.rejoined_at]), default=None)
    if event.timestamp is None or since is None:
        return False
    return tracking_events.event_time(event, default=since) < since


@receiver(inbound, dispatch_uid="subscribers.heed_mail")
def handle_inbound(sender: type, event: AnymailInboundEvent, esp_name: str, **_: Any) -> None:
    """Unsubscribe the reader whose signed unsubscribe address a mail was sent to.

    Ignore the sender, which anybody can forge, and the content. Do not answer: two programs could
    answer each other for ever.
    """
    for address in recipient_addresses(event):
        try:
            subscriber = links.read_unsubscribe_address(address)
        except links.InvalidLinkError:
            continue
        lifecycle.leave(subscriber, LeftReason.UNSUBSCRIBED, timezone.now())
        logger.info("subscriber %s: unsubscribed by mail", subscriber.pk)


def recipient_addresses(event: AnymailInboundEvent) -> Iterator[str]:
    """Yield the envelope recipient or, if the provider reports none, the addresses in To."""
    message = event.message
    if message is not None and message.envelope_recipient:
        yield str(message.envelope_recipient)
        return
    if message is not None:
        yield from (address.addr_spec for address in message.to or ())
    data = event.esp_event.get("data") if isinstance(event.esp_event, dict) else None
    resend_to = data.get("to") if isinstance(data, dict) else None  # Resend's own field.
    yield from map(str, resend_to if isinstance(resend_to, list) else ())
