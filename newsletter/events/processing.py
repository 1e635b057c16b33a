"""Providers' reports: kept as they came, worked through once, and forgotten after a month.

A request is stored by one INSERT and answered. What it tells is noted event by event, each with
its effects in one transaction, so a worker may die anywhere: what is left is done by the next
sweep. An event about a delivery that is not known yet, or is just being handed over, waits for it.
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
from subscribers.mail.tracking_events import (
    event_time,
    normalised_recipient,
    subscriber_from_metadata,
    to_db_text,
)
from subscribers.models import Suppression

logger = logging.getLogger(__name__)

ProcessingState = ProviderEvent.ProcessingState

# How long a request is kept, to be looked at or worked through again.
REPORT_RETENTION = timedelta(days=30)
# The task that the request rings for has so long before a sweep takes over.
TASK_GRACE_PERIOD = timedelta(seconds=30)
# For so long an event waits for its delivery, and a report for a failure of ours to be mended.
MATCH_TIMEOUT = timedelta(hours=24)
MIN_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(minutes=1), timedelta(hours=1)
# Headers that reading a request again takes: Resend's id of the event.
STORED_HEADERS = ("svix-id",)
# What there is something to do about; and what there may be when it is done again.
UNPROCESSED_STATES = [ProcessingState.NEW, ProcessingState.WAITING]
REPLAYABLE_STATES = [*UNPROCESSED_STATES, ProcessingState.DONE, ProcessingState.UNMATCHED]
# Rows that are forgotten in one statement.
PURGE_BATCH_SIZE = 1000


def store_report(provider: str, request: HttpRequest, *, now: datetime) -> ProviderReport | None:
    """Store a request that was found good; None if the same was stored before."""
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
    """The reports with something left to do, the longest waiting first."""
    waiting = ProviderReport.objects.filter(next_at__lte=now).order_by("next_at", "pk")
    return list(waiting.values_list("pk", flat=True)[:limit])


def process_report(report_id: int, *, now: datetime, is_replay: bool = False) -> Counter[str]:
    """Take note of what a report tells and is not noted yet; with `again`, of all of it."""
    report = ProviderReport.objects.filter(pk=report_id).first()
    counts: Counter[str] = Counter()
    if report is None or not report.body:
        return counts
    try:
        events = parse_report(report)
        rows = store_events(report, events)
    except Exception as error:
        # Whatever it is: the report is there, and there are others behind it.
        logger.error("report %s: not read: %s", report.pk, describe_error(error))
        schedule_retry(report, now=now, error=type(error).__name__)
        return counts + Counter(failed=1)
    for row in rows:
        if row.state not in (REPLAYABLE_STATES if is_replay else UNPROCESSED_STATES):
            counts[row.state] += 1
            continue
        try:
            counts[
                apply_event(row, events[row.position], report, now=now, is_replay=is_replay)
            ] += 1
        except Exception as error:
            logger.error(
                "report %s: event %s not noted: %s", report.pk, row.pk, describe_error(error)
            )
            counts["failed"] += 1
    if counts["failed"]:
        schedule_retry(report, now=now, error="An event was not noted; the log says why.")
    elif counts[ProcessingState.WAITING]:
        schedule_retry(report, now=now)
    else:
        ProviderReport.objects.filter(pk=report.pk).update(next_at=None, error="")
    if not counts["failed"]:
        drop_erased_recipients(rows)
    return counts


def drop_erased_recipients(rows: Sequence[ProviderEvent]) -> None:
    """Who was erased before this was told is not to come back by it, nor waits for a delivery."""
    erased = Suppression.objects.filter(
        reason=Suppression.Reason.ERASED,
        address_hash__in={row.recipient_hash for row in rows},
    ).values_list("address_hash", flat=True)
    if gone := set(erased):
        theirs = ProviderEvent.objects.filter(recipient_hash__in=gone)
        delete_event_data(theirs, set(theirs.values_list("report", flat=True)))


def delete_event_data(events: QuerySet[ProviderEvent], report_ids: Iterable[int]) -> None:
    """Drop events, and what the requests said that told of them."""
    events.delete()
    ProviderReport.objects.filter(pk__in=report_ids).update(
        body=b"", headers={}, next_at=None, error=""
    )


def raw_event(row: ProviderEvent) -> Any:
    """One event as its provider wrote it; none if that is kept no more, or cannot be read."""
    if not row.report.body:
        return None
    try:
        event = parse_report(row.report)[row.position].esp_event
    except (parsing.MalformedRequestError, *parsing.PARSE_ERRORS):
        return None
    told = dict(event.lists()) if isinstance(event, QueryDict) else event
    return json.loads(json.dumps(told, default=str))


def describe_error(error: Exception) -> str:
    """What went wrong and where, without anybody's address: a traceback might quote one."""
    [*_, last] = traceback.extract_tb(error.__traceback__)
    return f"{outcomes.error_summary(error)} ({last.filename}, line {last.lineno})"


def parse_report(report: ProviderReport) -> list[AnymailTrackingEvent]:
    """Its events, each with a moment: when we heard of it, if the provider does not say."""
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
    """A row for each event. One that was told before, here or elsewhere, is its duplicate."""
    rows = [build_provider_event(report, position, event) for position, event in enumerate(events)]
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)
    stored = list(report.events.order_by("position"))
    there = {row.position for row in stored}
    doubles = [row for row in rows if row.position not in there]
    for row in doubles:
        row.state = ProcessingState.DUPLICATE
    if doubles:
        ProviderEvent.objects.bulk_create(doubles, ignore_conflicts=True)
    return stored + doubles


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
    """The same for the same event, in whatever request it comes.

    Not by the provider's id alone: some use one for several events, and most give none.
    """
    told = event.esp_event
    if isinstance(told, QueryDict):
        told = sorted(told.lists())
    parts = [
        provider,
        event.event_type,
        event.event_id,
        event.message_id,
        event.recipient,
        json.dumps(told, sort_keys=True, default=str),
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
    """Have an event's effects and the mark that it had them, both or neither."""
    delivery, state = resolve_delivery(event, report_age=now - report.received_at)
    view = parsing.VIEWS_BY_PROVIDER[report.provider]
    told = {"sender": view, "event": event, "esp_name": view.esp_name}
    with transaction.atomic():
        mine = ProviderEvent.objects.filter(
            pk=row.pk, state__in=REPLAYABLE_STATES if is_replay else UNPROCESSED_STATES
        )
        if not mine.update(state=state, delivery=delivery):
            return row.state
        if row.state == ProcessingState.WAITING and not is_replay:
            # Everybody else has heard of it: only the delivery was not there.
            receivers.update_delivery(**told)
        else:
            tracking.send(**told)
    return state


def resolve_delivery(
    event: AnymailTrackingEvent, *, report_age: timedelta
) -> tuple[int | None, ProviderEvent.ProcessingState]:
    """Which delivery an event is about, and whether that can take note of it now."""
    found = receivers.deliveries_for_event(event).values_list("pk", "state").first()
    if found is None:
        if not receivers.can_match_delivery(event):
            return None, ProcessingState.DONE
        return (
            None,
            ProcessingState.WAITING if report_age < MATCH_TIMEOUT else ProcessingState.UNMATCHED,
        )
    pk, state = found
    being_handed_over = state == Delivery.State.CLAIMED
    if (
        being_handed_over
        and event.event_type in receivers.REFUSED_EVENTS
        and report_age < MATCH_TIMEOUT
    ):
        return pk, ProcessingState.WAITING
    return pk, ProcessingState.DONE


def schedule_retry(report: ProviderReport, *, now: datetime, error: str = "") -> None:
    """Again later, ever more slowly; after a day only by replay_events."""
    waited = now - report.received_at
    next_at = now + min(max(waited, MIN_RETRY_DELAY), MAX_RETRY_DELAY)
    ProviderReport.objects.filter(pk=report.pk).update(
        next_at=next_at if waited < MATCH_TIMEOUT else None, error=error
    )


def replay_reports(report_ids: Iterable[int], *, now: datetime) -> Counter[str]:
    """Work through these again, all of them: what was noted before ends the same."""
    counts: Counter[str] = Counter()
    for report_id in report_ids:
        counts["reports"] += 1
        counts += process_report(report_id, now=now, is_replay=True)
    return counts


def purge_old_reports(*, now: datetime) -> int:
    """Drop a page of what is older than it may be; returns how many reports."""
    old = ProviderReport.objects.filter(received_at__lte=now - REPORT_RETENTION).order_by(
        "received_at"
    )
    page = list(old.values_list("pk", flat=True)[:PURGE_BATCH_SIZE])
    if page:
        ProviderReport.objects.filter(pk__in=page).delete()
    return len(page)


def stored_report_ids(*, since: datetime | None = None, provider: str = "") -> list[int]:
    """The reports that are kept, the oldest first."""
    kept = ProviderReport.objects.order_by("received_at", "pk")
    if since:
        kept = kept.filter(received_at__gte=since)
    if provider:
        kept = kept.filter(provider=provider)
    return list(kept.values_list("pk", flat=True))
