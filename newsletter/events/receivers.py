"""What providers report later, noted on the delivery it is about."""

from __future__ import annotations

from datetime import date
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.db.models import QuerySet
from django.dispatch import receiver
from django.utils import timezone

from newsletter.models import Delivery, Edition
from subscribers.mail.tracking_events import event_time, to_db_text

State, Event = Delivery.State, Delivery.Event

# How far a message got, by the provider's word; a later report of an earlier stage is old news.
STAGE_ORDER = ["", Event.DEFERRED, Event.DELIVERED, Event.BOUNCED, Event.COMPLAINED]
STAGE_BY_EVENT_TYPE = {
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
REFUSED_EVENTS = {EventType.REJECTED, EventType.FAILED}
# The provider has the message: whatever we thought, it was handed over.
ACCEPTED_EVENTS = {EventType.QUEUED, EventType.SENT, *STAGE_BY_EVENT_TYPE}
# It left the provider, who said so: a refusal before or after that is of something else.
LEFT_PROVIDER_STAGES = {Event.DELIVERED, Event.BOUNCED, Event.COMPLAINED}


@receiver(tracking, dispatch_uid="newsletter.mark_delivery")
def update_delivery(sender: type, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Repeatable, and in any order: the same events always end in the same state."""
    deliveries = deliveries_for_event(event)
    if event.event_type in REFUSED_EVENTS:
        mark_failed(deliveries, event)
    elif event.event_type in ACCEPTED_EVENTS:
        reached = STAGE_BY_EVENT_TYPE.get(event.event_type)
        confirm_handed_over(deliveries, reached)
        if reached is not None:
            record_stage(deliveries, reached, event)


def deliveries_for_event(event: AnymailTrackingEvent) -> QuerySet[Delivery]:
    """The delivery that our metadata names or, without it, the message id."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    delivery, edition = str(metadata.get("delivery", "")), str(metadata.get("edition", ""))
    if delivery.isascii() and delivery.isdigit() and len(delivery) < 19:
        return Delivery.objects.filter(pk=int(delivery), edition__in=editions_on(edition))
    if isinstance(event.message_id, str) and (message_id := to_db_text(event.message_id)):
        return Delivery.objects.filter(message_id=message_id)
    return Delivery.objects.none()


def can_match_delivery(event: AnymailTrackingEvent) -> bool:
    """Whether it is worth waiting for one: our own words may say that there is none."""
    if event.event_type not in REFUSED_EVENTS | ACCEPTED_EVENTS:
        return False
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    if metadata.get("kind", "digest") != "digest":
        return False
    return bool(event.message_id or metadata.get("delivery"))


def editions_on(iso_date: str) -> QuerySet[Edition]:
    """The edition of that date: a row number alone might be another database's."""
    try:
        return Edition.objects.filter(date=date.fromisoformat(iso_date))
    except ValueError:
        return Edition.objects.none()


def confirm_handed_over(deliveries: QuerySet[Delivery], stage: Delivery.Event | None) -> None:
    """Evidence for an unknown outcome; one that is still claimed is settled by its worker."""
    disproved = [State.UNKNOWN, State.FAILED] if stage in LEFT_PROVIDER_STAGES else [State.UNKNOWN]
    deliveries.filter(state__in=disproved, attempted_at__isnull=False).update(
        state=State.HANDED_OVER, error=""
    )


def mark_failed(deliveries: QuerySet[Delivery], event: AnymailTrackingEvent) -> None:
    """Unless it is known to have got further."""
    refused = deliveries.filter(state__in=[State.HANDED_OVER, State.UNKNOWN])
    refused.exclude(event__in=LEFT_PROVIDER_STAGES).update(
        state=State.FAILED, error=f"The provider reported: {event.event_type}."
    )


def record_stage(
    deliveries: QuerySet[Delivery], stage: Delivery.Event, event: AnymailTrackingEvent
) -> None:
    before = STAGE_ORDER[: STAGE_ORDER.index(stage)]
    deliveries.filter(attempted_at__isnull=False, event__in=before).update(
        event=stage, event_at=event_time(event, default=timezone.now())
    )
