"""Export and erase personal data that has no foreign key to the subscriber."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.db.models import Q, QuerySet
from django.dispatch import receiver

from newsletter.events import reports
from newsletter.models import Delivery, ProviderEvent, ProviderReport
from subscribers import suppression
from subscribers.models import Subscriber
from subscribers.privacy import personal_data


@receiver(personal_data.collect_personal_data, dispatch_uid="newsletter.export_events")
def export_events(
    sender: type, subscriber: Subscriber, **_: Any
) -> dict[str, list[dict[str, Any]]]:
    """Return the events about a reader, with the provider's own data while it is stored."""
    rows = events_for_email(subscriber.email).select_related("report").order_by("pk")
    return {"provider events": [event_to_dict(row) for row in rows]}


def event_to_dict(row: ProviderEvent) -> dict[str, Any]:
    return {
        "provider": row.report.provider,
        "received_at": row.report.received_at,
        "happened_at": row.happened_at,
        "kind": row.kind,
        "message_id": row.message_id,
        "delivery_id": row.delivery_id,
        "provider_data": reports.raw_event(row),
    }


def events_for_email(email: str) -> QuerySet[ProviderEvent]:
    return ProviderEvent.objects.filter(
        Q(recipient_hash__in=suppression.address_hashes(email))
        | Q(delivery__subscriber__email=email)
    )


@receiver(personal_data.erase_personal_data, dispatch_uid="newsletter.erase_reports")
def erase_reports(sender: type, email: str, **_: Any) -> None:
    """Delete the events about an address, and empty each report that names it.

    Reports that are not processed yet, or cannot be read, have no events, so search their bodies.
    """
    events = events_for_email(email)
    report_ids = set(events.values_list("report", flat=True))
    spellings = [email.encode(), email.replace("@", "%40").encode()]
    unprocessed = ProviderReport.objects.filter(Q(next_at__isnull=False) | ~Q(error=""))
    for pk, body in unprocessed.values_list("pk", "body").iterator(chunk_size=100):
        if any(spelling in bytes(body).lower() for spelling in spellings):
            report_ids.add(pk)
    reports.delete_event_data(events, report_ids)


@receiver(personal_data.erase_personal_data, dispatch_uid="newsletter.forget_messages")
def erase_message_ids(sender: type, email: str, **_: Any) -> None:
    """Clear the message ids and errors of a reader's deliveries; the rows stay for the receipt."""
    deliveries = Delivery.objects.filter(subscriber__email=email)
    deliveries.exclude(message_id="", error="").update(message_id="", error="")


@receiver(personal_data.erase_personal_data, dispatch_uid="newsletter.forget_attempts")
def erase_login_attempts(sender: type, email: str, **_: Any) -> None:
    """Delete login attempts with the address: a reader may have typed it on the admin login."""
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        model.objects.filter(username__iexact=email).delete()
