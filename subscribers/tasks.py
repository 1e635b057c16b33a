"""What Celery calls: ids in, nothing out, each safe to run twice."""

from __future__ import annotations

import logging
from functools import partial

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from subscribers.signup import confirmations

logger = logging.getLogger(__name__)

# Answers that one sweep calls for; the next is a minute away.
MAX_CONFIRMATIONS_PER_SWEEP = 500


@shared_task(name="subscribers.tasks.send_confirmation")
def send_confirmation(subscriber_id: int) -> None:
    confirmations.send(subscriber_id, now=timezone.now())


@shared_task(name="subscribers.tasks.send_due_confirmations")
def send_due_confirmations() -> None:
    """Call for what waits: new, or put back, or asked for while there was no broker."""
    for subscriber_id in confirmations.due_subscriber_ids(
        now=timezone.now(), limit=MAX_CONFIRMATIONS_PER_SWEEP
    ):
        send_confirmation.apply_async((subscriber_id,), expires=60)


def enqueue_confirmation_on_commit(subscriber_id: int) -> None:
    """Have a request answered as soon as it is committed; if nobody hears, the sweep finds it."""
    transaction.on_commit(partial(enqueue_confirmation, subscriber_id))


def enqueue_confirmation(subscriber_id: int) -> None:
    try:
        send_confirmation.delay(subscriber_id)
    except OperationalError:
        logger.warning("subscriber %s: no broker, left to the sweep", subscriber_id)
