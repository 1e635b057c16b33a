"""subscribers/bounces.py"""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from subscribers import bounces, suppression
from subscribers.models import SoftBounce, Subscriber, Suppression
from subscribers.signup import lifecycle
from tests import factories

pytestmark = pytest.mark.django_db

Status, Reason = Subscriber.Status, Subscriber.LeftReason
NOW = factories.NOW
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADA = "ada@example.org"


@pytest.fixture
def ada():
    return factories.subscriber(email=ADA)


def record_bounces(ada: Subscriber, *numbers: int) -> None:
    for number in numbers:
        ada.refresh_from_db()
        bounces.record_soft_bounce(ada, f"m{number}", happened_at=NOW + number * HOUR, now=NOW)


def deliver(ada: Subscriber, hour: float) -> None:
    ada.refresh_from_db()
    bounces.record_delivery(ada, delivered_at=NOW + hour * HOUR, now=NOW)


def state() -> tuple[str, str, list[str]]:
    ada = Subscriber.objects.get()
    return ada.status, ada.left_reason, [row.reason for row in Suppression.objects.all()]


UNREACHABLE = ("left", "unreachable", ["unreachable"])
REACHABLE: tuple[str, str, list[str]] = ("active", "", [])


def test_five_consecutive_soft_bounces_reach_the_limit(ada):
    record_bounces(ada, 1, 2, 3, 4)
    assert state() == REACHABLE

    record_bounces(ada, 5)
    assert state() == UNREACHABLE
    assert Subscriber.objects.get().next_digest_at is None


def test_a_delivery_between_bounces_restarts_the_count(ada):
    record_bounces(ada, 1, 2, 3, 4)
    deliver(ada, 4.5)
    record_bounces(ada, 5, 6, 7, 8)
    assert state() == REACHABLE

    record_bounces(ada, 9)
    assert state() == UNREACHABLE


def test_the_same_message_counts_once(ada):
    for hour in range(9):
        bounces.record_soft_bounce(ada, "m", happened_at=NOW + hour * HOUR, now=NOW)

    assert state() == REACHABLE
    assert SoftBounce.objects.get().happened_at == NOW + 8 * HOUR


def test_an_older_report_of_a_message_does_not_replace_a_newer_one(ada):
    for hour in (3, 1):
        bounces.record_soft_bounce(ada, "m", happened_at=NOW + hour * HOUR, now=NOW)

    assert SoftBounce.objects.get().happened_at == NOW + 3 * HOUR


def test_a_delivery_reported_late_restores_the_subscription(ada):
    record_bounces(ada, 1, 2, 3, 4, 5)

    deliver(ada, 2.5)

    assert state() == REACHABLE
    assert Subscriber.objects.get().next_digest_at == NOW + HOUR


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_late_delivery_does_not_undo_unsubscribing(ada, order):
    """Unsubscribing counts in whatever order the reports arrive."""

    def leave() -> None:
        ada.refresh_from_db()
        lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)

    steps = [
        lambda: record_bounces(ada, 1, 2, 3),
        lambda: record_bounces(ada, 4, 5),
        lambda: deliver(ada, 4.5),
        leave,
    ]
    for place in order:
        steps[place]()

    assert state() == ("left", "unsubscribed", [])


@pytest.mark.parametrize("reason", ["bounced", "complained"])
def test_a_late_delivery_does_not_undo_a_more_severe_reason(ada, reason):
    record_bounces(ada, 1, 2, 3, 4, 5)
    suppression.suppress(ADA, Suppression.Reason(reason), NOW)
    ada.refresh_from_db()
    lifecycle.leave(ada, Reason(reason), NOW)

    deliver(ada, 6)

    assert state() == ("left", reason, [reason])


def test_an_unreachable_reader_returns_by_confirming_again(ada):
    record_bounces(ada, 1, 2, 3, 4, 5)
    ada.refresh_from_db()
    assert not lifecycle.rejoin(ada, NOW)

    pending = lifecycle.request_confirmation(ADA, (), "", NOW + DAY)
    assert suppression.is_suppressed(ADA)
    lifecycle.confirm(pending, NOW + DAY)
    assert state() == REACHABLE

    record_bounces(ada, 25, 26, 27, 28)
    assert state() == REACHABLE  # Bounces from before the confirmation do not count.


def test_bounces_of_a_pending_subscriber_only_suppress_the_address():
    pending = factories.subscriber(email=ADA, status=Status.PENDING)

    record_bounces(pending, 1, 2, 3, 4, 5)

    assert state() == ("pending", "", ["unreachable"])


def test_a_delivery_to_an_active_reader_costs_one_query(ada, django_assert_num_queries):
    with django_assert_num_queries(1):
        bounces.record_delivery(ada, delivered_at=NOW, now=NOW)


def test_bounces_older_than_half_a_year_are_deleted(ada):
    record_bounces(ada, 1)

    assert bounces.purge_old_bounces(now=NOW + bounces.BOUNCE_RETENTION) == 0
    assert bounces.purge_old_bounces(now=NOW + bounces.BOUNCE_RETENTION + HOUR) == 1
