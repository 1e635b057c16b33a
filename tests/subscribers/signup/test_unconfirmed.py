"""subscribers/signup/unconfirmed.py"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from newsletter import tasks
from newsletter.dispatch import Tick
from subscribers.models import Consent, Preferences, Subscriber
from subscribers.signup import consent, lifecycle, unconfirmed
from tests import factories

pytestmark = pytest.mark.django_db

Status, Reason = Subscriber.Status, Subscriber.LeftReason
NOW = factories.NOW
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
LONG_AGO = NOW - 8 * DAY


def created(at: datetime, **fields: Any) -> Subscriber:
    subscriber = factories.subscriber(**fields)
    Subscriber.objects.filter(pk=subscriber.pk).update(created_at=at)
    return subscriber


def pending(at: datetime = LONG_AGO, **fields: Any) -> Subscriber:
    return created(at, status=Status.PENDING, **fields)


def purge_and_list_ids(**fields: Any) -> list[int]:
    unconfirmed.purge_unconfirmed(now=NOW)
    return list(Subscriber.objects.order_by("pk").values_list("pk", flat=True))


def test_an_unconfirmed_subscriber_is_deleted_with_all_related_rows():
    ada = pending(email="ada@example.org", confirmation_sent_at=LONG_AGO, topics=["robotics"])
    consent.record_request(ada, consent.ConsentContext(), now=LONG_AGO)

    assert unconfirmed.purge_unconfirmed(now=NOW) == 1

    assert [model.objects.count() for model in (Subscriber, Preferences, Consent)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("age", "kept"), [(7 * DAY, True), (7 * DAY + SECOND, False)], ids=["a week", "a second later"]
)
def test_unconfirmed_subscribers_are_kept_for_a_week(age, kept):
    ada = pending(NOW - age)

    assert purge_and_list_ids() == ([ada.pk] if kept else [])


@pytest.mark.parametrize(
    "fields",
    [
        {"confirmation_sent_at": NOW - 6 * DAY},
        {"confirmation_requested_at": NOW - DAY},
    ],
)
def test_a_recent_request_extends_the_retention(fields):
    ada = pending(**fields)

    assert purge_and_list_ids() == [ada.pk]


def test_current_and_former_readers_are_kept():
    reader = created(LONG_AGO)
    gone = created(LONG_AGO, status=Status.LEFT, left_at=LONG_AGO, confirmed_at=LONG_AGO)

    assert purge_and_list_ids() == [reader.pk, gone.pk]


@pytest.mark.parametrize(("days", "kept"), [(6, True), (8, False)])
def test_subscribers_who_declined_are_deleted_as_well(days, kept):
    ada = created(LONG_AGO, status=Status.LEFT, left_at=NOW - days * DAY)

    assert purge_and_list_ids() == ([ada.pk] if kept else [])


def test_an_expired_request_of_a_former_reader_reverts_to_left():
    ada = factories.subscriber(email="ada@example.org")
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, LONG_AGO)
    lifecycle.request_confirmation(ada.email, [], "", LONG_AGO)

    unconfirmed.purge_unconfirmed(now=NOW)

    ada.refresh_from_db()
    assert (ada.status, ada.left_reason, ada.left_at) == ("left", "unsubscribed", NOW - 7 * DAY)
    assert ada.confirmation_requested_at is None
    assert not lifecycle.can_rejoin(ada, NOW)
    assert not Consent.objects.exists()


def test_many_are_deleted_in_batches(monkeypatch):
    monkeypatch.setattr(unconfirmed, "PURGE_BATCH_SIZE", 2)
    for _ in range(5):
        pending()

    assert unconfirmed.purge_unconfirmed(now=NOW) == 5


def test_one_run_deletes_a_limited_number(monkeypatch):
    monkeypatch.setattr(unconfirmed, "PURGE_BATCH_SIZE", 2)
    monkeypatch.setattr(unconfirmed, "MAX_PURGED_PER_RUN", 4)
    for _ in range(7):
        pending()

    assert [unconfirmed.purge_unconfirmed(now=NOW) for _ in range(3)] == [4, 3, 0]


def test_a_run_without_work_costs_the_same_for_any_number_of_readers(django_assert_num_queries):
    for _ in range(5):
        created(LONG_AGO)

    with django_assert_num_queries(4 + 2):  # Savepoints count as queries.
        unconfirmed.purge_unconfirmed(now=NOW)


def test_every_tick_purges():
    ada = pending()

    with time_machine.travel(NOW, tick=False):
        tasks.enqueue_for_tick(
            Tick(counts=Counter(), should_fetch=False, should_publish=False, pending_by_edition={})
        )

    assert not Subscriber.objects.filter(pk=ada.pk).exists()
