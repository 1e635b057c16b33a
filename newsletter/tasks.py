"""Celery tasks: they take ids, return nothing, and are safe to run twice."""

from __future__ import annotations

import logging
from datetime import timedelta
from math import ceil

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from newsletter import dispatch as dispatching
from newsletter.delivery import handover
from newsletter.dispatch import Tick
from newsletter.editions import publish
from newsletter.events import processing, reports
from newsletter.models import Edition
from newsletter.operations import retention
from papers import tasks as papers_tasks
from subscribers import tasks as subscribers_tasks

logger = logging.getLogger(__name__)

# A task ends before the broker considers it lost, and about when the next tick starts.
MAX_TASK_DURATION = timedelta(seconds=50)
# Delivery tasks enqueued for one edition each tick; one without work ends at once.
MAX_DELIVERY_TASKS = 8
# Reports that one sweep processes; the next sweep is a minute away.
MAX_REPORTS_PER_SWEEP = 2000


@shared_task(name="newsletter.tasks.dispatch")
def dispatch() -> None:
    enqueue_for_tick(dispatching.run_tick(now=timezone.now()))


def enqueue_for_tick(tick: Tick) -> None:
    """Enqueue tasks for what a tick found; what is lost is enqueued again by the next tick."""
    for edition_id, pending in tick.pending_by_edition.items():
        for _ in range(min(ceil(pending / handover.BATCH_SIZE), MAX_DELIVERY_TASKS)):
            deliver.apply_async((edition_id,), expires=60)
    if tick.should_fetch:
        papers_tasks.fetch_papers.apply_async(expires=60)
    if tick.should_publish:
        publish_edition.apply_async(expires=60)
    subscribers_tasks.send_due_confirmations.apply_async(expires=60)
    sweep_reports.apply_async(expires=60)
    forget.apply_async(expires=60)


@shared_task(name="newsletter.tasks.publish_edition")
def publish_edition() -> None:
    try:
        dispatching.publish_today(now=timezone.now())
    except publish.NothingToPublishError as error:
        logger.warning("%s", error)


@shared_task(name="newsletter.tasks.deliver")
def deliver(edition_id: int) -> None:
    edition = Edition.objects.get(pk=edition_id)
    handover.deliver(edition, clock=timezone.now, until=timezone.now() + MAX_TASK_DURATION)


@shared_task(name="newsletter.tasks.work_through_report")
def work_through_report(report_id: int) -> None:
    processing.process_report(report_id, now=timezone.now())


def enqueue_report(report_id: int) -> None:
    """Enqueue the processing of a stored report; without a broker the sweep finds it."""
    try:
        work_through_report.delay(report_id)
    except OperationalError:
        logger.warning("report %s: no broker, the sweep will process it", report_id)


@shared_task(name="newsletter.tasks.sweep_reports")
def sweep_reports() -> None:
    """Process the reports that are due and were not processed when they came in."""
    until = timezone.now() + MAX_TASK_DURATION
    for report_id in reports.due_report_ids(now=timezone.now(), limit=MAX_REPORTS_PER_SWEEP):
        if timezone.now() >= until:
            break
        processing.process_report(report_id, now=timezone.now())


@shared_task(name="newsletter.tasks.forget")
def forget() -> None:
    """Delete what has been stored for its retention time."""
    retention.apply_retention_rules(now=timezone.now())
