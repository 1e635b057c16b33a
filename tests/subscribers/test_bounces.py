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


def came_back(ada: Subscriber, *numbers: int) -> None:
    for number in numbers:
        ada.refresh_from_db()
        bounces.record_soft_bounce(ada, f"m{number}", happened_at=NOW + number * HOUR, now=NOW)


def arrived(ada: Subscriber, hour: float) -> None:
    ada.refresh_from_db()
    bounces.record_delivery(ada, delivered_at=NOW + hour * HOUR, now=NOW)


def standing() -> tuple[str, str, list[str]]:
    ada = Subscriber.objects.get()
    return ada.status, ada.left_reason, [row.reason for row in Suppression.objects.all()]


GIVEN_UP = ("left", "unreachable", ["unreachable"])
KEPT: tuple[str, str, list[str]] = ("active", "", [])


def test_four_in_a_row_are_not_enough_and_five_are(ada):
    came_back(ada, 1, 2, 3, 4)
    assert standing() == KEPT

    came_back(ada, 5)
    assert standing() == GIVEN_UP
    assert Subscriber.objects.get().next_digest_at is None


def test_one_that_arrived_between_begins_a_new_row(ada):
    came_back(ada, 1, 2, 3, 4)
    arrived(ada, 4.5)
    came_back(ada, 5, 6, 7, 8)
    assert standing() == KEPT

    came_back(ada, 9)
    assert standing() == GIVEN_UP


def test_the_same_message_counts_once(ada):
    for hour in range(9):
        bounces.record_soft_bounce(ada, "m", happened_at=NOW + hour * HOUR, now=NOW)

    assert standing() == KEPT
    assert SoftBounce.objects.get().happened_at == NOW + 8 * HOUR


def test_an_older_word_of_a_message_does_not_replace_a_newer(ada):
    for hour in (3, 1):
        bounces.record_soft_bounce(ada, "m", happened_at=NOW + hour * HOUR, now=NOW)

    assert SoftBounce.objects.get().happened_at == NOW + 3 * HOUR


def test_a_delivery_that_is_told_late_takes_it_back(ada):
    came_back(ada, 1, 2, 3, 4, 5)

    arrived(ada, 2.5)

    assert standing() == KEPT
    assert Subscriber.objects.get().next_digest_at == NOW + HOUR


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_it_takes_back_nothing_else(ada, order):
    """Who left of their own accord in the meantime has left, in whatever order that is heard."""

    def leave() -> None:
        ada.refresh_from_db()
        lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)

    steps = [
        lambda: came_back(ada, 1, 2, 3),
        lambda: came_back(ada, 4, 5),
        lambda: arrived(ada, 4.5),
        leave,
    ]
    for place in order:
        steps[place]()

    assert standing() == ("left", "unsubscribed", [])


@pytest.mark.parametrize("reason", ["bounced", "complained"])
def test_nor_a_graver_reason(ada, reason):
    came_back(ada, 1, 2, 3, 4, 5)
    suppression.suppress(ADA, Suppression.Reason(reason), NOW)
    ada.refresh_from_db()
    lifecycle.leave(ada, Reason(reason), NOW)

    arrived(ada, 6)

    assert standing() == ("left", reason, [reason])


def test_the_way_back_is_a_fresh_confirmation(ada):
    came_back(ada, 1, 2, 3, 4, 5)
    ada.refresh_from_db()
    assert not lifecycle.rejoin(ada, NOW)

    pending = lifecycle.request_confirmation(ADA, (), "", NOW + DAY)
    assert suppression.is_suppressed(ADA)
    lifecycle.confirm(pending, NOW + DAY)
    assert standing() == KEPT

    came_back(ada, 25, 26, 27, 28)
    assert standing() == KEPT  # those from before are old news


def test_mail_to_somebody_who_never_confirmed_does_not_change_where_they_stand():
    pending = factories.subscriber(email=ADA, status=Status.PENDING)

    came_back(pending, 1, 2, 3, 4, 5)

    assert standing() == ("pending", "", ["unreachable"])


def test_of_who_was_never_given_up_on_a_delivery_asks_little(ada, django_assert_num_queries):
    with django_assert_num_queries(1):
        bounces.record_delivery(ada, delivered_at=NOW, now=NOW)


def test_bounces_of_half_a_year_ago_are_forgotten(ada):
    came_back(ada, 1)

    assert bounces.purge_old_bounces(now=NOW + bounces.BOUNCE_RETENTION) == 0
    assert bounces.purge_old_bounces(now=NOW + bounces.BOUNCE_RETENTION + HOUR) == 1
