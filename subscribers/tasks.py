"""Celery tasks of the app: they take ids, return nothing and are safe to run twice.

The queue is the database (subscribers/signup/confirmations.py). A task only triggers the work, so a
lost message costs a minute at most: the sweep enqueues it again.
"""

from __future__ import annotations

import logging
from functools import partial

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from subscribers.signup import confirmations

logger = logging.getLogger(__name__)

# The next sweep follows within a minute.
MAX_CONFIRMATIONS_PER_SWEEP = 500


@shared_task(name="subscribers.tasks.send_confirmation")
def send_confirmation(subscriber_id: int) -> None:
    confirmations.send(subscriber_id, now=timezone.now())


@shared_task(name="subscribers.tasks.send_due_confirmations")
def send_due_confirmations() -> None:
    """Enqueue a task for every queued request: new, requeued, or left by a broker outage."""
    for subscriber_id in confirmations.due_subscriber_ids(
        now=timezone.now(), limit=MAX_CONFIRMATIONS_PER_SWEEP
    ):
        send_confirmation.apply_async((subscriber_id,), expires=60)


def enqueue_confirmation_on_commit(subscriber_id: int) -> None:
    """Enqueue the confirmation mail once the current transaction is committed.

    A worker that starts before the commit would not find the request.
    """
    transaction.on_commit(partial(enqueue_confirmation, subscriber_id))


def enqueue_confirmation(subscriber_id: int) -> None:
    try:
        send_confirmation.delay(subscriber_id)
    except OperationalError:
        logger.warning("subscriber %s: no broker; the next sweep sends the mail", subscriber_id)
