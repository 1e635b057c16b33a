"""Apply the events of providers' reports to deliveries and subscribers.

Guarantee: an event is applied once, however often and in whatever order a provider reports it, and
none is lost when a worker dies.

1. The webhook calls `reports.store_report`: one INSERT, and the request is answered.
2. A task, or the sweep of the next tick, calls `process_report`. It stores a row for each event,
   then applies each event in a transaction of its own, together with the change of the row's state.
   A worker that dies in between leaves `next_at` set, and a sweep takes over. Several workers may
   process one report at once.
3. `finish` decides whether the report is retried, and when. An event whose delivery is not known
   yet, or is just being handed over, waits for it for up to a day.

What an event changes is up to the receivers of Anymail's `tracking` signal. They must be safe to
repeat: `replay_reports` applies every event again.

Cost: six queries a report, and six for each event about a delivery that arrived.
"""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from anymail.signals import AnymailTrackingEvent, tracking
from django.db import transaction

from newsletter.events import parsing, receivers, reports
from newsletter.models import Delivery, ProviderEvent, ProviderReport
from subscribers.mail import outcomes
from subscribers.models import Suppression

logger = logging.getLogger(__name__)

ProcessingState = ProviderEvent.ProcessingState
# A stored event and what Anymail parsed it to.
StoredEvent = tuple[ProviderEvent, AnymailTrackingEvent]

# How long an event waits for its delivery, and a report for a bug of ours to be fixed.
MATCH_TIMEOUT = timedelta(hours=24)
MIN_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(minutes=1), timedelta(hours=1)
# The states of events that have to be applied, and of those that may be applied again.
UNPROCESSED_STATES = [ProcessingState.NEW, ProcessingState.WAITING]
REPLAYABLE_STATES = [*UNPROCESSED_STATES, ProcessingState.DONE, ProcessingState.UNMATCHED]


def process_report(report_id: int, *, now: datetime, is_replay: bool = False) -> Counter[str]:
    """Apply the events of a report that were not applied yet; in a replay, all its events.

    Return the number of events by the state they ended in, and of failures as "failed". A report
    that is gone or has been emptied counts nothing. Never raise because of a report: others wait.
    """
    report = ProviderReport.objects.filter(pk=report_id).first()
    if report is None or not report.body:
        return Counter()
    try:
        events = read_events(report)
    except Exception as error:
        logger.error("report %s: cannot be read: %s", report.pk, describe_error(error))
        counts = Counter(failed=1)
        finish(report, counts, now=now, error=type(error).__name__)
        return counts
    counts = apply_all(events, report, now=now, is_replay=is_replay)
    finish(report, counts, now=now)
    if not counts["failed"]:
        drop_erased_recipients([row for row, _ in events])
    return counts


def read_events(report: ProviderReport) -> list[StoredEvent]:
    """Parse a report and store its events; those stored before keep their state."""
    events = reports.parse_report(report)
    return [(row, events[row.position]) for row in reports.store_events(report, events)]


def apply_all(
    events: Iterable[StoredEvent], report: ProviderReport, *, now: datetime, is_replay: bool
) -> Counter[str]:
    """Apply each event that is due, and count all by state. One that fails does not stop others."""
    counts: Counter[str] = Counter()
    due_states = REPLAYABLE_STATES if is_replay else UNPROCESSED_STATES
    for row, event in events:
        if row.state not in due_states:
            counts[row.state] += 1
            continue
        try:
            counts[apply_event(row, event, report, now=now, is_replay=is_replay)] += 1
        except Exception as error:
            logger.error(
                "report %s: event %s not applied: %s", report.pk, row.pk, describe_error(error)
            )
            counts["failed"] += 1
    return counts


def apply_event(
    row: ProviderEvent,
    event: AnymailTrackingEvent,
    report: ProviderReport,
    *,
    now: datetime,
    is_replay: bool,
) -> str:
    """Apply an event and record its new state in one transaction; return the state.

    Another worker may have applied it in the meantime: then nothing happens.
    """
    delivery, state = resolve_delivery(event, report_age=now - report.received_at)
    view_class = parsing.view_class(report.provider)
    signal = {"sender": view_class, "event": event, "esp_name": view_class.esp_name}
    with transaction.atomic():
        claimed = ProviderEvent.objects.filter(
            pk=row.pk, state__in=REPLAYABLE_STATES if is_replay else UNPROCESSED_STATES
        ).update(state=state, delivery=delivery)
        if not claimed:
            return row.state
        if row.state == ProcessingState.WAITING and not is_replay:
            # The other receivers ran when the event arrived. Do not run them again: the reader may
            # have come back since.
            receivers.update_delivery(**signal)
        else:
            tracking.send(**signal)
    return state


def resolve_delivery(
    event: AnymailTrackingEvent, *, report_age: timedelta
) -> tuple[int | None, ProviderEvent.ProcessingState]:
    """Return the id of an event's delivery, and the state that the event gets with it.

    It waits while its delivery is not known, and a refusal waits while a worker is handing the
    delivery over: the worker's own update would overwrite it.
    """
    delivery = receivers.deliveries_for_event(event).values_list("pk", "state").first()
    may_wait = report_age < MATCH_TIMEOUT
    if delivery is None:
        if not receivers.can_match_delivery(event):
            return None, ProcessingState.DONE
        return None, ProcessingState.WAITING if may_wait else ProcessingState.UNMATCHED
    delivery_id, delivery_state = delivery
    is_refusal = event.event_type in receivers.REFUSED_EVENTS
    if delivery_state == Delivery.State.CLAIMED and is_refusal and may_wait:
        return delivery_id, ProcessingState.WAITING
    return delivery_id, ProcessingState.DONE


def finish(
    report: ProviderReport,
    counts: Counter[str],
    *,
    now: datetime,
    error: str = "An event was not applied; the log says why.",
) -> None:
    """Retry a report that failed or whose events wait for a delivery; otherwise it is finished.

    The delay is the report's age, within MIN_RETRY_DELAY and MAX_RETRY_DELAY. After MATCH_TIMEOUT the
    report is not retried: what still failed is left to `replay_events`, and keeps its error.
    """
    if not counts["failed"]:
        error = ""
    age = now - report.received_at
    next_at = None
    if (counts["failed"] or counts[ProcessingState.WAITING]) and age < MATCH_TIMEOUT:
        next_at = now + min(max(age, MIN_RETRY_DELAY), MAX_RETRY_DELAY)
    ProviderReport.objects.filter(pk=report.pk).update(next_at=next_at, error=error)


def drop_erased_recipients(rows: Sequence[ProviderEvent]) -> None:
    """Delete the events about people who were erased before these events were reported."""
    erased_hashes = set(
        Suppression.objects.filter(
            reason=Suppression.Reason.ERASED,
            address_hash__in={row.recipient_hash for row in rows},
        ).values_list("address_hash", flat=True)
    )
    if erased_hashes:
        events = ProviderEvent.objects.filter(recipient_hash__in=erased_hashes)
        reports.delete_event_data(events, set(events.values_list("report", flat=True)))


def replay_reports(report_ids: Iterable[int], *, now: datetime) -> Counter[str]:
    """Apply all events of these reports again, and count them; safe to repeat."""
    counts: Counter[str] = Counter()
    for report_id in report_ids:
        counts["reports"] += 1
        counts += process_report(report_id, now=now, is_replay=True)
    return counts


def describe_error(error: Exception) -> str:
    """Return an error and its place. Do not log the traceback instead: it may quote an address."""
    [*_, last_frame] = traceback.extract_tb(error.__traceback__)
    return f"{outcomes.error_summary(error)} ({last_frame.filename}, line {last_frame.lineno})"
