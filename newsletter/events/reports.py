"""Store providers' reports and their events, each once, until they are too old.

Only this module and `newsletter.events.processing` write `ProviderReport` and `ProviderEvent`. Two
unique columns make a repetition harmless: `ProviderReport.digest` for the same request, and
`ProviderEvent.key` for the same event in another request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from anymail.signals import AnymailTrackingEvent
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from newsletter.events import parsing
from newsletter.models import ProviderEvent, ProviderReport
from subscribers import suppression
from subscribers.mail.tracking_events import (
    event_time,
    normalised_recipient,
    subscriber_from_metadata,
    to_db_text,
)

# How long a request is kept, for operators to look at and to process again.
REPORT_RETENTION = timedelta(days=30)
# How long the task that the webhook queued may take before a sweep takes over.
TASK_GRACE_PERIOD = timedelta(seconds=30)
# Headers that parsing a request again needs (Resend: the id of the event). Never add credentials.
STORED_HEADERS = ("svix-id",)
# Reports deleted in one statement.
PURGE_BATCH_SIZE = 1000


def store_report(provider: str, request: HttpRequest, *, now: datetime) -> ProviderReport | None:
    """Store an authentic request; return None if an identical one was stored before."""
    content_type = to_db_text(request.headers.get("Content-Type", ""))
    digest = sha256(b"\n".join([provider.encode(), content_type.encode(), request.body]))
    try:
        with transaction.atomic():
            return ProviderReport.objects.create(
                provider=provider,
                received_at=now,
                content_type=content_type,
                headers={
                    name: to_db_text(request.headers[name])
                    for name in STORED_HEADERS
                    if name in request.headers
                },
                body=request.body,
                digest=digest.hexdigest(),
                next_at=now + TASK_GRACE_PERIOD,
            )
    except IntegrityError:
        return None


def due_report_ids(*, now: datetime, limit: int) -> list[int]:
    """Return the reports that have to be processed now, the longest overdue first."""
    due = ProviderReport.objects.filter(next_at__lte=now).order_by("next_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def stored_report_ids(*, since: datetime | None = None, provider: str = "") -> list[int]:
    """Return the reports received since a time from one provider, oldest first."""
    reports = ProviderReport.objects.order_by("received_at", "pk")
    if since:
        reports = reports.filter(received_at__gte=since)
    if provider:
        reports = reports.filter(provider=provider)
    return list(reports.values_list("pk", flat=True))


def purge_old_reports(*, now: datetime) -> int:
    """Delete up to PURGE_BATCH_SIZE reports that are past their retention; return how many."""
    old = ProviderReport.objects.filter(received_at__lte=now - REPORT_RETENTION)
    batch = list(old.order_by("received_at").values_list("pk", flat=True)[:PURGE_BATCH_SIZE])
    if batch:
        ProviderReport.objects.filter(pk__in=batch).delete()
    return len(batch)


def delete_event_data(events: QuerySet[ProviderEvent], report_ids: Iterable[int]) -> None:
    """Delete events, and empty the reports that contained them."""
    events.delete()
    ProviderReport.objects.filter(pk__in=report_ids).update(
        body=b"", headers={}, next_at=None, error=""
    )


def parse_report(report: ProviderReport) -> list[AnymailTrackingEvent]:
    """Return a report's events. One without a time gets the time when the report was received."""
    events = parsing.reparse_request(
        report.provider,
        body=bytes(report.body),
        content_type=report.content_type,
        headers=report.headers,
    )
    for event in events:
        event.timestamp = event_time(event, default=report.received_at)
    return events


def raw_event(row: ProviderEvent) -> Any:
    """Return an event as its provider wrote it; None if that was erased or cannot be parsed."""
    if not row.report.body:
        return None
    try:
        event = parse_report(row.report)[row.position].esp_event
    except (parsing.MalformedRequestError, *parsing.PARSE_ERRORS):
        return None
    payload = dict(event.lists()) if isinstance(event, QueryDict) else event
    return json.loads(json.dumps(payload, default=str))


def store_events(
    report: ProviderReport, events: Sequence[AnymailTrackingEvent]
) -> list[ProviderEvent]:
    """Store a row for each event, and return the rows; safe to repeat.

    An event that was reported before, here or in another report, becomes a duplicate of it.
    """
    rows = [build_provider_event(report, position, event) for position, event in enumerate(events)]
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)
    stored = list(report.events.order_by("position"))
    stored_positions = {row.position for row in stored}
    duplicates = [row for row in rows if row.position not in stored_positions]
    for row in duplicates:
        row.state = ProviderEvent.ProcessingState.DUPLICATE
    if duplicates:
        ProviderEvent.objects.bulk_create(duplicates, ignore_conflicts=True)
    return stored + duplicates


def build_provider_event(
    report: ProviderReport, position: int, event: AnymailTrackingEvent
) -> ProviderEvent:
    email = normalised_recipient(event)
    if not email and (subscriber := subscriber_from_metadata(event)):
        email = subscriber.email
    return ProviderEvent(
        report=report,
        position=position,
        key=deduplication_key(report.provider, event),
        kind=to_db_text(str(event.event_type))[:32],
        event_id=to_db_text(str(event.event_id or "")),
        message_id=to_db_text(str(event.message_id or "")),
        happened_at=event.timestamp,
        recipient_hash=suppression.address_hash(email) if email else "",
    )


def deduplication_key(provider: str, event: AnymailTrackingEvent) -> str:
    """Return a hash that is equal for the same event in different requests.

    The provider's own id is not enough: some use one id for several events, and most give none.
    """
    payload = event.esp_event
    if isinstance(payload, QueryDict):
        payload = sorted(payload.lists())
    parts = [
        provider,
        event.event_type,
        event.event_id,
        event.message_id,
        event.recipient,
        json.dumps(payload, sort_keys=True, default=str),
    ]
    text = json.dumps([str(part) for part in parts])
    return sha256(text.encode()).hexdigest()
