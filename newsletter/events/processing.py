"""Process provider reports: store them as received, apply each event once, delete them later.

Guarantee: an accepted request is never lost, and each event is applied once, in whatever order and
however often it arrives. A request is stored by one INSERT and answered. Each event is applied in one
transaction together with the mark that it was, so a worker may die anywhere: the next sweep goes on.
Only this module writes ProviderReport and ProviderEvent.

An event about a delivery that is not known yet, or is still being sent, waits for it up to a day.
Cost: a constant number of queries per report, and a few per event.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from anymail.signals import AnymailTrackingEvent, tracking
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from newsletter.events import parsing, receivers
from newsletter.models import Delivery, ProviderEvent, ProviderReport
from subscribers import suppression
from subscribers.mail import outcomes
from subscribers.models import Suppression
from subscribers.receivers import (
    event_time,
    normalised_recipient,
    subscriber_from_metadata,
    to_db_text,
)

logger = logging.getLogger(__name__)

ProcessingState = ProviderEvent.ProcessingState

# How long a request is stored, to be shown or replayed.
REPORT_RETENTION = timedelta(days=30)
# The task of a new report has this long before the sweep takes over.
TASK_GRACE_PERIOD = timedelta(seconds=30)
# How long an event waits for its delivery, and a failed report is retried.
MATCH_TIMEOUT = timedelta(hours=24)
MIN_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(minutes=1), timedelta(hours=1)
# Headers that parsing a request again needs: Resend's event id.
STORED_HEADERS = ("svix-id",)
# States to process, and states that a replay processes again.
UNPROCESSED_STATES = [ProcessingState.NEW, ProcessingState.WAITING]
REPLAYABLE_STATES = [*UNPROCESSED_STATES, ProcessingState.DONE, ProcessingState.UNMATCHED]
# Rows deleted by one statement.
PURGE_BATCH_SIZE = 1000


def store_report(provider: str, request: HttpRequest, *, now: datetime) -> ProviderReport | None:
    """Store a validated request; return None if the same request is stored already."""
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
    """Return the reports that are due, the longest waiting first."""
    due = ProviderReport.objects.filter(next_at__lte=now).order_by("next_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def process_report(report_id: int, *, now: datetime, is_replay: bool = False) -> Counter[str]:
    """Apply the events of a report that are not applied yet; with `is_replay`, all of them.

    Return how many events ended in each state, and how many `failed`. Never raise for one report:
    others are waiting behind it.
    """
    report = ProviderReport.objects.filter(pk=report_id).first()
    if report is None or not report.body:
        return Counter()
    try:
        events = parse_report(report)
        rows = store_events(report, events)
    except Exception as error:
        # Whatever it is, the report is stored, and it is tried again.
        logger.error("report %s: cannot be read: %s", report.pk, describe_error(error))
        schedule_retry(report, now=now, error=type(error).__name__)
        return Counter(failed=1)
    counts = apply_all(report, rows, events, now=now, is_replay=is_replay)
    finish(report, counts, now=now)
    if not counts["failed"]:
        drop_erased_recipients(rows)
    return counts


def apply_all(
    report: ProviderReport,
    rows: Sequence[ProviderEvent],
    events: Sequence[AnymailTrackingEvent],
    *,
    now: datetime,
    is_replay: bool,
) -> Counter[str]:
    """Apply each event by itself, so that one that fails does not stop the others."""
    counts: Counter[str] = Counter()
    applicable = REPLAYABLE_STATES if is_replay else UNPROCESSED_STATES
    for row in rows:
        if row.state not in applicable:
            counts[row.state] += 1
            continue
        event = events[row.position]
        try:
            state = apply_event(row, event, report, now=now, is_replay=is_replay)
        except Exception as error:
            details = describe_error(error)
            logger.error("report %s: event %s not applied: %s", report.pk, row.pk, details)
            state = "failed"
        counts[state] += 1
    return counts


def finish(report: ProviderReport, counts: Counter[str], *, now: datetime) -> None:
    """Retry a report with failed or waiting events later; else mark it as finished."""
    if counts["failed"]:
        schedule_retry(report, now=now, error="An event was not applied; the log says why.")
    elif counts[ProcessingState.WAITING]:
        schedule_retry(report, now=now)
    else:
        ProviderReport.objects.filter(pk=report.pk).update(next_at=None, error="")


def drop_erased_recipients(rows: Sequence[ProviderEvent]) -> None:
    """Delete events about erased readers, which arrived after the erasure."""
    erased = Suppression.objects.filter(
        reason=Suppression.Reason.ERASED,
        address_hash__in={row.recipient_hash for row in rows},
    ).values_list("address_hash", flat=True)
    if hashes := set(erased):
        events = ProviderEvent.objects.filter(recipient_hash__in=hashes)
        delete_event_data(events, set(events.values_list("report", flat=True)))


def delete_event_data(events: QuerySet[ProviderEvent], report_ids: Iterable[int]) -> None:
    """Delete events, and empty the stored requests that contained them."""
    events.delete()
    ProviderReport.objects.filter(pk__in=report_ids).update(
        body=b"", headers={}, next_at=None, error=""
    )


def raw_event(row: ProviderEvent) -> Any:
    """Return an event as its provider wrote it; None if that is deleted or cannot be read."""
    if not row.report.body:
        return None
    try:
        event = parse_report(row.report)[row.position].esp_event
    except (parsing.MalformedRequestError, *parsing.PARSE_ERRORS):
        return None
    fields = dict(event.lists()) if isinstance(event, QueryDict) else event
    return json.loads(json.dumps(fields, default=str))


def describe_error(error: Exception) -> str:
    """Return an error and its place, without a traceback, which might quote an address."""
    [*_, last] = traceback.extract_tb(error.__traceback__)
    return f"{outcomes.error_summary(error)} ({last.filename}, line {last.lineno})"


def parse_report(report: ProviderReport) -> list[AnymailTrackingEvent]:
    """Return the events of a report; without a timestamp, they happened when it was received."""
    events = parsing.reparse_request(
        report.provider,
        body=bytes(report.body),
        content_type=report.content_type,
        headers=report.headers,
    )
    for event in events:
        event.timestamp = event_time(event, default=report.received_at)
    return events


def store_events(
    report: ProviderReport, events: Sequence[AnymailTrackingEvent]
) -> list[ProviderEvent]:
    """Return the row of each event, inserted if new; an event reported before is a duplicate."""
    rows = [build_provider_event(report, position, event) for position, event in enumerate(events)]
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)
    stored = list(report.events.order_by("position"))
    stored_positions = {row.position for row in stored}
    duplicates = [row for row in rows if row.position not in stored_positions]
    for row in duplicates:
        row.state = ProcessingState.DUPLICATE
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
    """Return a key that is the same for the same event in any request.

    The provider's event id is not enough: some use one for several events, and most have none.
    """
    fields = event.esp_event
    if isinstance(fields, QueryDict):
        fields = sorted(fields.lists())
    parts = [
        provider,
        event.event_type,
        event.event_id,
        event.message_id,
        event.recipient,
        json.dumps(fields, sort_keys=True, default=str),
    ]
    text = json.dumps([str(part) for part in parts])
    return sha256(text.encode()).hexdigest()


def apply_event(
    row: ProviderEvent,
    event: AnymailTrackingEvent,
    report: ProviderReport,
    *,
    now: datetime,
    is_replay: bool,
) -> str:
    """Apply an event and mark it as applied, atomically; return its state."""
    delivery, state = resolve_delivery(event, report_age=now - report.received_at)
    view = parsing.view_class(report.provider)
    arguments = {"sender": view, "event": event, "esp_name": view.esp_name}
    with transaction.atomic():
        unclaimed = ProviderEvent.objects.filter(
            pk=row.pk, state__in=REPLAYABLE_STATES if is_replay else UNPROCESSED_STATES
        )
        if not unclaimed.update(state=state, delivery=delivery):
            return row.state
        if row.state == ProcessingState.WAITING and not is_replay:
            # The other receivers have seen it: only the delivery was missing.
            receivers.update_delivery(**arguments)
        else:
            tracking.send(**arguments)
    return state


def resolve_delivery(
    event: AnymailTrackingEvent, *, report_age: timedelta
) -> tuple[int | None, ProviderEvent.ProcessingState]:
    """Return the delivery of an event, and whether to apply it now, later or never."""
    match = receivers.deliveries_for_event(event).values_list("pk", "state").first()
    if match is None:
        if not receivers.can_match_delivery(event):
            return None, ProcessingState.DONE
        return (
            None,
            ProcessingState.WAITING if report_age < MATCH_TIMEOUT else ProcessingState.UNMATCHED,
        )
    pk, state = match
    is_being_sent = state == Delivery.State.CLAIMED
    if (
        is_being_sent
        and event.event_type in receivers.REFUSED_EVENTS
        and report_age < MATCH_TIMEOUT
    ):
        return pk, ProcessingState.WAITING
    return pk, ProcessingState.DONE


def schedule_retry(report: ProviderReport, *, now: datetime, error: str = "") -> None:
    """Retry a report later, with exponential backoff; after a day only replay_events does."""
    age = now - report.received_at
    next_at = now + min(max(age, MIN_RETRY_DELAY), MAX_RETRY_DELAY)
    ProviderReport.objects.filter(pk=report.pk).update(
        next_at=next_at if age < MATCH_TIMEOUT else None, error=error
    )


def replay_reports(report_ids: Iterable[int], *, now: datetime) -> Counter[str]:
    """Process reports again; what was applied before has the same result."""
    counts: Counter[str] = Counter()
    for report_id in report_ids:
        counts["reports"] += 1
        counts += process_report(report_id, now=now, is_replay=True)
    return counts


def purge_old_reports(*, now: datetime) -> int:
    """Delete a page of reports older than REPORT_RETENTION; return how many."""
    old = ProviderReport.objects.filter(received_at__lte=now - REPORT_RETENTION).order_by(
        "received_at"
    )
    page = list(old.values_list("pk", flat=True)[:PURGE_BATCH_SIZE])
    if page:
        ProviderReport.objects.filter(pk__in=page).delete()
    return len(page)


def stored_report_ids(*, since: datetime | None = None, provider: str = "") -> list[int]:
    """Return the stored reports, the oldest first."""
    reports = ProviderReport.objects.order_by("received_at", "pk")
    if since:
        reports = reports.filter(received_at__gte=since)
    if provider:
        reports = reports.filter(provider=provider)
    return list(reports.values_list("pk", flat=True))
