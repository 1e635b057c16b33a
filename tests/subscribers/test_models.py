"""subscribers/models.py"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from subscribers.models import Preferences, Subscriber, Suppression
from tests import factories

pytestmark = pytest.mark.django_db

Status, Frequency = Subscriber.Status, Preferences.Frequency
NOW = factories.NOW
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("status", Status)
def test_only_active_subscribers_are_mailable(status):
    subscriber = factories.subscriber(status=status)

    assert list(Subscriber.objects.mailable()) == [subscriber] * (status == Status.ACTIVE)
    assert subscriber.is_mailable is (status == Status.ACTIVE)


@pytest.mark.parametrize("status", Status)
def test_a_subscriber_who_left_gets_no_confirmation_mail(status):
    subscriber = factories.subscriber(status=status, confirmation_requested_at=NOW)

    assert list(Subscriber.objects.awaiting_confirmation_mail()) == [subscriber] * (
        status != Status.LEFT
    )


@pytest.mark.parametrize("status", Status)
def test_only_active_subscribers_are_scheduled(status):
    subscriber = factories.subscriber(status=status)

    subscriber.reschedule_digest(NOW)

    due = NOW + HOUR if status == Status.ACTIVE else None
    assert subscriber.next_digest_at == due
    assert Subscriber.objects.get().next_digest_at == due


def test_rescheduling_reads_the_stored_row_and_preferences():
    ada = factories.subscriber()
    Subscriber.objects.update(last_digest_on=NOW.date())
    Preferences.objects.update(hour=9)

    ada.reschedule_digest(NOW)

    assert ada.next_digest_at == NOW + 27 * HOUR


@pytest.mark.parametrize(
    ("frequency", "days"),
    [
        (Frequency.DAILY, {0, 1, 2, 3, 4, 5, 6}),
        (Frequency.WEEKDAYS, {0, 1, 2, 3, 4}),
        (Frequency.WEEKLY, {5}),
    ],
)
def test_each_frequency_has_its_weekdays(frequency, days):
    assert Preferences(frequency=frequency, weekday=5).digest_weekdays == days


def test_the_test_above_covers_every_frequency():
    assert set(Frequency) == {Frequency.DAILY, Frequency.WEEKDAYS, Frequency.WEEKLY}


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "dead"},
        {"status": "active", "confirmed_at": None},
        {"status": "left", "left_at": None, "left_reason": "unsubscribed"},
        {"status": "left", "left_at": NOW, "left_reason": ""},
        {"status": "active", "left_at": NOW, "left_reason": "unsubscribed"},
        {"status": "pending", "next_digest_at": NOW},
    ],
)
def test_the_database_rejects_an_invalid_subscriber(changed):
    factories.subscriber()

    with pytest.raises(IntegrityError), transaction.atomic():
        Subscriber.objects.update(**changed)


@pytest.mark.parametrize(
    "changed",
    [{"length": 2}, {"length": 21}, {"frequency": "hourly"}, {"weekday": 7}, {"hour": 24}],
)
def test_the_database_rejects_invalid_preferences(changed):
    factories.subscriber()

    with pytest.raises(IntegrityError), transaction.atomic():
        Preferences.objects.update(**changed)


def test_string_representations_contain_no_address():
    ada = factories.subscriber(email="ada@example.org")

    texts = [str(ada), str(ada.preferences), str(Suppression(address_hash="abcdef0123456789"))]

    assert texts == [f"#{ada.pk} (active)", f"preferences of #{ada.pk}", "abcdef01… ()"]
