"""Update deliveries by provider events.

Guarantee: events may be repeated and arrive in any order; the same events always end in the same
state. This module writes `Delivery.event` and `event_at`, and corrects `state` from `unknown`,
`handed_over` or `failed`; it never makes a delivery sendable again.
"""

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

# The stages of a message in order; a late event of an earlier stage changes nothing.
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
# The provider accepted the message and did not send it.
REFUSED_EVENTS = {EventType.REJECTED, EventType.FAILED}
# The provider has the message, so it was handed over, whatever the stored state.
ACCEPTED_EVENTS = {EventType.QUEUED, EventType.SENT, *STAGE_BY_EVENT_TYPE}
# The message has left the provider, so an event that refuses it concerns something else.
LEFT_PROVIDER_STAGES = {Event.DELIVERED, Event.BOUNCED, Event.COMPLAINED}


@receiver(tracking, dispatch_uid="newsletter.mark_delivery")
def update_delivery(sender: type, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    deliveries = deliveries_for_event(event)
    if event.event_type in REFUSED_EVENTS:
        mark_failed(deliveries, event)
    elif event.event_type in ACCEPTED_EVENTS:
        stage = STAGE_BY_EVENT_TYPE.get(event.event_type)
        confirm_handed_over(deliveries, stage)
        if stage is not None:
            record_stage(deliveries, stage, event)


def deliveries_for_event(event: AnymailTrackingEvent) -> QuerySet[Delivery]:
    """Return the delivery of an event, by our metadata or else by message id."""
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    delivery, edition = str(metadata.get("delivery", "")), str(metadata.get("edition", ""))
    if delivery.isascii() and delivery.isdigit() and len(delivery) < 19:
        return Delivery.objects.filter(pk=int(delivery), edition__in=editions_on(edition))
    if isinstance(event.message_id, str) and (message_id := to_db_text(event.message_id)):
        return Delivery.objects.filter(message_id=message_id)
    return Delivery.objects.none()


def can_match_delivery(event: AnymailTrackingEvent) -> bool:
    """Return whether an event can concern a delivery, so that waiting for one makes sense."""
    if event.event_type not in REFUSED_EVENTS | ACCEPTED_EVENTS:
        return False
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    if metadata.get("kind", "digest") != "digest":
        return False
    return bool(event.message_id or metadata.get("delivery"))


def editions_on(iso_date: str) -> QuerySet[Edition]:
    """Return the edition of a date: a delivery id alone may be of another database."""
    try:
        return Edition.objects.filter(date=date.fromisoformat(iso_date))
    except ValueError:
        return Edition.objects.none()


def confirm_handed_over(deliveries: QuerySet[Delivery], stage: Delivery.Event | None) -> None:
    """Settle an unknown delivery as handed over; a claimed one is settled by its worker."""
    correctable = (
        [State.UNKNOWN, State.FAILED] if stage in LEFT_PROVIDER_STAGES else [State.UNKNOWN]
    )
    deliveries.filter(state__in=correctable, attempted_at__isnull=False).update(
        state=State.HANDED_OVER, error=""
    )


def mark_failed(deliveries: QuerySet[Delivery], event: AnymailTrackingEvent) -> None:
    """Mark deliveries as failed, unless the message is known to have left the provider."""
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
