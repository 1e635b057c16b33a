"""subscribers/tasks.py"""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from celery.app.task import Task
from kombu.exceptions import OperationalError

from subscribers import tasks
from subscribers.models import Subscriber
from subscribers.signup import lifecycle
from tests import factories

Status = Subscriber.Status
NOW = factories.NOW
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


def queued() -> Subscriber:
    return factories.subscriber(status=Status.PENDING, confirmation_requested_at=NOW - MINUTE)


@pytest.mark.django_db
def test_the_task_run_twice_sends_one_mail(mailoutbox):
    ada = queued()

    tasks.send_confirmation(ada.pk)
    tasks.send_confirmation(ada.pk)

    assert [message.to for message in mailoutbox] == [[ada.email]]


@pytest.mark.django_db
def test_the_sweep_answers_every_queued_request_once(mailoutbox):
    readers = [queued() for _ in range(3)]
    factories.subscriber(status=Status.PENDING)

    tasks.send_due_confirmations()
    tasks.send_due_confirmations()

    assert [message.to for message in mailoutbox] == [[reader.email] for reader in readers]


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_next_sweep_sends_the_mail(mailoutbox, monkeypatch, caplog):
    def publish(*args: object, **options: object) -> None:
        raise OperationalError("Error 111 connecting to ada@example.org")

    with monkeypatch.context() as patch:
        patch.setattr(Task, "apply_async", publish)
        ada = lifecycle.request_confirmation("ada@example.org", [], "", NOW)
        tasks.enqueue_confirmation_on_commit(ada.pk)

    assert mailoutbox == []
    assert [record.getMessage() for record in caplog.records] == [
        f"subscriber {ada.pk}: no broker; the next sweep sends the mail"
    ]

    tasks.send_due_confirmations()

    assert [message.to for message in mailoutbox] == [["ada@example.org"]]


@pytest.mark.django_db
def test_nothing_is_enqueued_before_the_commit(mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        tasks.enqueue_confirmation_on_commit(queued().pk)
        assert mailoutbox == []

    [callback] = callbacks
    callback()
    assert len(mailoutbox) == 1
