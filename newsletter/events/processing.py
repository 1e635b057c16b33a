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
from subscribers.models import Suppression
from subscribers.receivers import moment, named_in_metadata, recipient, storable

logger = logging.getLogger(__name__)

State = ProviderEvent.State

# How long a request is kept, to be looked at or worked through again.
KEEP = timedelta(days=30)
# The task that the request rings for has so long before a sweep takes over.
HEAD_START = timedelta(seconds=30)
# For so long an event waits for its delivery, and a report for a failure of ours to be mended.
PATIENCE = timedelta(hours=24)
FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=1)
# Headers that reading a request again takes: Resend's id of the event.
HEADERS = ("svix-id",)
# What there is something to do about; and what there may be when it is done again.
OPEN = [State.NEW, State.WAITING]
NOTABLE = [*OPEN, State.DONE, State.UNMATCHED]
# Rows that are forgotten in one statement.
PAGE = 1000


def keep(provider: str, request: HttpRequest, *, now: datetime) -> ProviderReport | None:
    """Store a request that was found good; None if the same was stored before."""
    content_type = storable(request.headers.get("Content-Type", ""))
    digest = sha256(b"\n".join([provider.encode(), content_type.encode(), request.body]))
    try:
        with transaction.atomic():
            return ProviderReport.objects.create(
                provider=provider,
                received_at=now,
                content_type=content_type,
                headers={
                    name: storable(request.headers[name])
                    for name in HEADERS
                    if name in request.headers
                },
                body=request.body,
                digest=digest.hexdigest(),
                next_at=now + HEAD_START,
            )
    except IntegrityError:
        return None


def due(*, now: datetime, most: int) -> list[int]:
    """The reports with something left to do, the longest waiting first."""
    waiting = ProviderReport.objects.filter(next_at__lte=now).order_by("next_at", "pk")
    return list(waiting.values_list("pk", flat=True)[:most])


def work_through(report_id: int, *, now: datetime, again: bool = False) -> Counter[str]:
    """Take note of what a report tells and is not noted yet; with `again`, of all of it."""
    report = ProviderReport.objects.filter(pk=report_id).first()
    counts: Counter[str] = Counter()
    if report is None or not report.body:
        return counts
    try:
        events = read(report)
        rows = remember(report, events)
    except Exception as error:
        # Whatever it is: the report is there, and there are others behind it.
        logger.error("report %s: not read: %s", report.pk, cause(error))
        put_off(report, now=now, error=type(error).__name__)
        return counts + Counter(failed=1)
    for row in rows:
        if row.state not in (NOTABLE if again else OPEN):
            counts[row.state] += 1
            continue
        try:
            counts[note(row, events[row.position], report, now=now, again=again)] += 1
        except Exception as error:
            logger.error("report %s: event %s not noted: %s", report.pk, row.pk, cause(error))
            counts["failed"] += 1
    if counts["failed"]:
        put_off(report, now=now, error="An event was not noted; the log says why.")
    elif counts[State.WAITING]:
        put_off(report, now=now)
    else:
        ProviderReport.objects.filter(pk=report.pk).update(next_at=None, error="")
    if not counts["failed"]:
        forget_erased(rows)
    return counts


def forget_erased(rows: Sequence[ProviderEvent]) -> None:
    """Who was erased before this was told is not to come back by it, nor waits for a delivery."""
    erased = Suppression.objects.filter(
        reason=Suppression.Reason.ERASED,
        address_hash__in={row.recipient_hash for row in rows},
    ).values_list("address_hash", flat=True)
    if gone := set(erased):
        theirs = ProviderEvent.objects.filter(recipient_hash__in=gone)
        blank(theirs, set(theirs.values_list("report", flat=True)))


def blank(events: QuerySet[ProviderEvent], report_ids: Iterable[int]) -> None:
    """Drop events, and what the requests said that told of them."""
    events.delete()
    ProviderReport.objects.filter(pk__in=report_ids).update(
        body=b"", headers={}, next_at=None, error=""
    )


def words_of(row: ProviderEvent) -> Any:
    """One event as its provider wrote it; none if that is kept no more, or cannot be read."""
    if not row.report.body:
        return None
    try:
        event = read(row.report)[row.position].esp_event
    except (parsing.Malformed, *parsing.UNREADABLE):
        return None
    told = dict(event.lists()) if isinstance(event, QueryDict) else event
    return json.loads(json.dumps(told, default=str))


def cause(error: Exception) -> str:
    """What went wrong and where, without anybody's address: a traceback might quote one."""
    [*_, last] = traceback.extract_tb(error.__traceback__)
    return f"{outcomes.sentence(error)} ({last.filename}, line {last.lineno})"


def read(report: ProviderReport) -> list[AnymailTrackingEvent]:
    """Its events, each with a moment: when we heard of it, if the provider does not say."""
    events = parsing.read_again(
        report.provider,
        body=bytes(report.body),
        content_type=report.content_type,
        headers=report.headers,
    )
    for event in events:
        event.timestamp = moment(event, otherwise=report.received_at)
    return events


def remember(report: ProviderReport, events: Sequence[AnymailTrackingEvent]) -> list[ProviderEvent]:
    """A row for each event. One that was told before, here or elsewhere, is its duplicate."""
    rows = [row_of(report, position, event) for position, event in enumerate(events)]
    ProviderEvent.objects.bulk_create(rows, ignore_conflicts=True)
    stored = list(report.events.order_by("position"))
    there = {row.position for row in stored}
    doubles = [row for row in rows if row.position not in there]
    for row in doubles:
        row.state = State.DUPLICATE
    if doubles:
        ProviderEvent.objects.bulk_create(doubles, ignore_conflicts=True)
    return stored + doubles


def row_of(report: ProviderReport, position: int, event: AnymailTrackingEvent) -> ProviderEvent:
    email = recipient(event)
    if not email and (subscriber := named_in_metadata(event)):
        email = subscriber.email
    return ProviderEvent(
        report=report,
        position=position,
        key=key_of(report.provider, event),
        kind=storable(str(event.event_type))[:32],
        event_id=storable(str(event.event_id or "")),
        message_id=storable(str(event.message_id or "")),
        happened_at=event.timestamp,
        recipient_hash=suppression.address_hash(email) if email else "",
    )


def key_of(provider: str, event: AnymailTrackingEvent) -> str:
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


def note(
    row: ProviderEvent,
    event: AnymailTrackingEvent,
    report: ProviderReport,
    *,
    now: datetime,
    again: bool,
) -> str:
    """Have an event's effects and the mark that it had them, both or neither."""
    delivery, state = standing(event, waited=now - report.received_at)
    view = parsing.VIEWS[report.provider]
    told = {"sender": view, "event": event, "esp_name": view.esp_name}
    with transaction.atomic():
        mine = ProviderEvent.objects.filter(pk=row.pk, state__in=NOTABLE if again else OPEN)
        if not mine.update(state=state, delivery=delivery):
            return row.state
        if row.state == State.WAITING and not again:
            # Everybody else has heard of it: only the delivery was not there.
            receivers.mark_delivery(**told)
        else:
            tracking.send(**told)
    return state


def standing(
    event: AnymailTrackingEvent, *, waited: timedelta
) -> tuple[int | None, ProviderEvent.State]:
    """Which delivery an event is about, and whether that can take note of it now."""
    found = receivers.about(event).values_list("pk", "state").first()
    if found is None:
        if not receivers.may_be_about_a_delivery(event):
            return None, State.DONE
        return None, State.WAITING if waited < PATIENCE else State.UNMATCHED
    pk, state = found
    being_handed_over = state == Delivery.State.CLAIMED
    if being_handed_over and event.event_type in receivers.REFUSED and waited < PATIENCE:
        return pk, State.WAITING
    return pk, State.DONE


def put_off(report: ProviderReport, *, now: datetime, error: str = "") -> None:
    """Again later, ever more slowly; after a day only by replay_events."""
    waited = now - report.received_at
    next_at = now + min(max(waited, FIRST_RETRY), LAST_RETRY)
    ProviderReport.objects.filter(pk=report.pk).update(
        next_at=next_at if waited < PATIENCE else None, error=error
    )


def replay(report_ids: Iterable[int], *, now: datetime) -> Counter[str]:
    """Work through these again, all of them: what was noted before ends the same."""
    counts: Counter[str] = Counter()
    for report_id in report_ids:
        counts["reports"] += 1
        counts += work_through(report_id, now=now, again=True)
    return counts


def forget(*, now: datetime) -> int:
    """Drop a page of what is older than it may be; returns how many reports."""
    old = ProviderReport.objects.filter(received_at__lte=now - KEEP).order_by("received_at")
    page = list(old.values_list("pk", flat=True)[:PAGE])
    if page:
        ProviderReport.objects.filter(pk__in=page).delete()
    return len(page)


def stored(*, since: datetime | None = None, provider: str = "") -> list[int]:
    """The reports that are kept, the oldest first."""
    kept = ProviderReport.objects.order_by("received_at", "pk")
    if since:
        kept = kept.filter(received_at__gte=since)
    if provider:
        kept = kept.filter(provider=provider)
    return list(kept.values_list("pk", flat=True))
