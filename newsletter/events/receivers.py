"""What providers report later, noted on the delivery it is about."""

from __future__ import annotations

from datetime import date
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.db.models import QuerySet
from django.dispatch import receiver
from django.utils import timezone

from newsletter.models import Delivery, Edition
from subscribers.receivers import moment, storable

State, Event = Delivery.State, Delivery.Event

# How far a message got, by the provider's word; a later report of an earlier stage is old news.
STAGES = ["", Event.DEFERRED, Event.DELIVERED, Event.BOUNCED, Event.COMPLAINED]
EVENTS = {
    EventType.DEFERRED: Event.DEFERRED,
    EventType.DELIVERED: Event.DELIVERED,
    EventType.OPENED: Event.DELIVERED,
    EventType.CLICKED: Event.DELIVERED,
    EventType.UNSUBSCRIBED: Event.DELIVERED,
    EventType.AUTORESPONDED: Event.DELIVERED,
    EventType.BOUNCED: Event.BOUNCED,
    EventType.COMPLAINED: Event.COMPLAINED,
}
# The provider took the message, and did not send it.
REFUSED = {EventType.REJECTED, EventType.FAILED}
# The provider has the message: whatever we thought, it was handed over.
TAKEN = {EventType.QUEUED, EventType.SENT, *EVENTS}
# It left the provider, who said so: a refusal before or after that is of something else.
SENT_ON = {Event.DELIVERED, Event.BOUNCED, Event.COMPLAINED}


@receiver(tracking, dispatch_uid="newsletter.mark_delivery")
def mark_delivery(sender: type, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Repeatable, and in any order: the same events always end in the same state."""
    deliveries = about(event)
    if event.event_type in REFUSED:
        refuse(deliveries, event)
    elif event.event_type in TAKEN:
        reached = EVENTS.get(event.event_type)
        settle_as_taken(deliveries, reached)
        if reached is not None:
            advance(deliveries, reached, event)


def about(event: AnymailTrackingEvent) -> QuerySet[Delivery]:
    """The delivery that our metadata names or, without it, the message id."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    delivery, edition = str(metadata.get("delivery", "")), str(metadata.get("edition", ""))
    if delivery.isascii() and delivery.isdigit() and len(delivery) < 19:
        return Delivery.objects.filter(pk=int(delivery), edition__in=dated(edition))
    if isinstance(event.message_id, str) and (message_id := storable(event.message_id)):
        return Delivery.objects.filter(message_id=message_id)
    return Delivery.objects.none()


def may_be_about_a_delivery(event: AnymailTrackingEvent) -> bool:
    """Whether it is worth waiting for one: our own words may say that there is none."""
    if event.event_type not in REFUSED | TAKEN:
        return False
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    if metadata.get("kind", "digest") != "digest":
        return False
    return bool(event.message_id or metadata.get("delivery"))


def dated(text: str) -> QuerySet[Edition]:
    """The edition of that date: a row number alone might be another database's."""
    try:
        return Edition.objects.filter(date=date.fromisoformat(text))
    except ValueError:
        return Edition.objects.none()


def settle_as_taken(deliveries: QuerySet[Delivery], reached: Delivery.Event | None) -> None:
    """Evidence for an unknown outcome; one that is still claimed is settled by its worker."""
    disproved = [State.UNKNOWN, State.FAILED] if reached in SENT_ON else [State.UNKNOWN]
    deliveries.filter(state__in=disproved, attempted_at__isnull=False).update(
        state=State.HANDED_OVER, error=""
    )


def refuse(deliveries: QuerySet[Delivery], event: AnymailTrackingEvent) -> None:
    """Unless it is known to have got further."""
    refused = deliveries.filter(state__in=[State.HANDED_OVER, State.UNKNOWN])
    refused.exclude(event__in=SENT_ON).update(
        state=State.FAILED, error=f"The provider reported: {event.event_type}."
    )


def advance(
    deliveries: QuerySet[Delivery], reached: Delivery.Event, event: AnymailTrackingEvent
) -> None:
    before = STAGES[: STAGES.index(reached)]
    deliveries.filter(attempted_at__isnull=False, event__in=before).update(
        event=reached, event_at=moment(event, otherwise=timezone.now())
    )
