"""subscribers/signup/lifecycle.py"""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from subscribers import suppression
from subscribers.addresses import InvalidAddressError
from subscribers.models import Preferences, Subscriber, Suppression
from subscribers.signup import lifecycle
from tests import factories

pytestmark = pytest.mark.django_db

Status, Reason = Subscriber.Status, Subscriber.LeftReason
NOW = factories.NOW  # six in the morning: the digest of seven is still to come
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADA = "ada@example.org"


def ask(email: str = ADA, **changed: Any) -> Subscriber:
    fields: dict[str, Any] = {"topics": ["robotics"], "timezone": "Europe/Berlin", "now": NOW}
    return lifecycle.request_confirmation(email, **fields | changed)


def topics_of(subscriber: Subscriber) -> set[str]:
    return set(subscriber.preferences.topics.values_list("slug", flat=True))


@pytest.fixture(autouse=True)
def _topics():
    factories.topic("robotics")
    factories.topic("speech")


def test_a_new_address_waits_to_be_asked_with_what_was_chosen():
    ask("Ada@Example.ORG")

    ada = Subscriber.objects.get()
    assert (ada.email, ada.status, ada.confirmation_requested_at) == (ADA, "pending", NOW)
    assert (topics_of(ada), ada.preferences.timezone) == ({"robotics"}, "Europe/Berlin")


def test_without_topics_or_a_time_zone_the_defaults_stand():
    ask(topics=[], timezone="")

    ada = Subscriber.objects.get()
    assert (topics_of(ada), ada.preferences.timezone) == (set(), "UTC")


def test_while_unconfirmed_the_newest_form_counts():
    ask()
    ask(topics=["speech"], timezone="Asia/Tokyo", now=NOW + HOUR)

    ada = Subscriber.objects.get()
    assert (topics_of(ada), ada.preferences.timezone) == ({"speech"}, "Asia/Tokyo")


def test_a_stranger_cannot_change_what_a_reader_chose():
    ada = factories.subscriber(email=ADA, topics=["speech"], next_digest_at=NOW)

    ask()

    ada.refresh_from_db()
    assert (ada.status, topics_of(ada), ada.preferences.timezone) == (
        "active",
        {"speech"},
        "UTC",
    )
    assert (ada.next_digest_at, ada.confirmation_requested_at) == (NOW, NOW)


def test_who_left_has_to_confirm_anew():
    factories.subscriber(email=ADA, status=Status.LEFT)

    ask()

    ada = Subscriber.objects.get()
    assert (ada.status, ada.left_at, ada.left_reason) == ("pending", None, "")
    assert ada.confirmation_requested_at == NOW


def test_an_unknown_topic_is_passed_over():
    ask(topics=["robotics", "astrology"])

    assert topics_of(Subscriber.objects.get()) == {"robotics"}


def test_a_bad_address_leaves_nothing_behind():
    with pytest.raises(InvalidAddressError):
        ask("ada")

    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("reason", Suppression.Reason)
def test_asking_does_not_lift_a_suppression_and_confirming_does(reason):
    suppression.suppress(ADA, reason, NOW)

    ada = ask()
    assert suppression.is_suppressed(ADA)

    lifecycle.confirm(ada, NOW)
    assert not suppression.is_suppressed(ADA)


def test_confirmed_is_active_and_the_first_digest_is_due_at_their_hour():
    ada = ask()

    lifecycle.confirm(ada, NOW)

    assert (ada.status, ada.confirmed_at) == ("active", NOW)
    assert ada.next_digest_at == NOW + 23 * HOUR  # seven in Berlin was an hour ago
    assert topics_of(ada) == {"robotics"}


def test_confirming_again_changes_nothing():
    ada = ask()
    lifecycle.confirm(ada, NOW)
    before = Subscriber.objects.values().get()

    lifecycle.confirm(ada, NOW + HOUR)

    assert Subscriber.objects.values().get() == before


def test_of_two_who_press_at_once_one_confirms():
    ask()
    mine, theirs = Subscriber.objects.get(), Subscriber.objects.get()

    lifecycle.confirm(mine, NOW)
    lifecycle.confirm(theirs, NOW + HOUR)

    assert Subscriber.objects.get().confirmed_at == NOW


def test_a_link_opened_before_leaving_does_not_confirm_after_it():
    ask()
    opened, leaving = Subscriber.objects.get(), Subscriber.objects.get()

    lifecycle.leave(leaving, Reason.UNSUBSCRIBED, NOW)
    ask(now=NOW + DAY)  # pending again, with another link
    lifecycle.confirm(opened, NOW + DAY)

    assert opened.status == Status.PENDING


def test_once_confirmed_no_request_waits():
    ada = ask()

    lifecycle.confirm(ada, NOW)

    assert (ada.confirmation_requested_at, ada.confirmation_count) == (None, 0)


@pytest.mark.parametrize("status", [Status.PENDING, Status.ACTIVE])
@pytest.mark.parametrize("reason", Reason)
def test_leaving_is_immediate_and_nothing_is_due(status, reason):
    due = NOW if status == Status.ACTIVE else None
    ada = factories.subscriber(status=status, next_digest_at=due, confirmation_requested_at=NOW)

    lifecycle.leave(ada, reason, NOW)

    assert (ada.status, ada.left_at, ada.left_reason) == ("left", NOW, reason)
    assert (ada.next_digest_at, ada.confirmation_requested_at) == (None, None)


def test_leaving_again_changes_nothing():
    ada = factories.subscriber()
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)
    before = Subscriber.objects.values().get()

    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW + HOUR)

    assert Subscriber.objects.values().get() == before


@pytest.mark.parametrize("reasons", list(permutations(Reason)))
def test_the_gravest_reason_stays_whatever_comes_first(reasons):
    ada = factories.subscriber()

    for reason in reasons * 2:
        lifecycle.leave(ada, reason, NOW)

    assert ada.left_reason == Reason.COMPLAINED


def test_every_reason_has_its_gravity():
    assert sorted(lifecycle.REASONS_BY_SEVERITY) == sorted(Reason)


@pytest.fixture
def ada():
    """A reader of a while, who pressed the button."""
    ada = factories.subscriber(email=ADA, topics=["speech"])
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)
    return ada


def test_who_comes_back_within_a_day_never_left(ada):
    assert lifecycle.rejoin(ada, NOW + HOUR / 2)

    assert (ada.status, ada.left_at, ada.left_reason) == ("active", None, "")
    assert (topics_of(ada), ada.next_digest_at) == ({"speech"}, NOW + HOUR)


def test_coming_back_again_changes_nothing(ada):
    lifecycle.rejoin(ada, NOW)
    before = Subscriber.objects.values().get()

    assert lifecycle.rejoin(ada, NOW + 2 * HOUR)

    assert Subscriber.objects.values().get() == before


def test_coming_back_does_not_bring_a_second_digest_of_the_date(ada):
    Subscriber.objects.update(last_digest_on=NOW.date())

    lifecycle.rejoin(ada, NOW)

    assert ada.next_digest_at == NOW + HOUR + DAY


@pytest.mark.parametrize(
    "changed",
    [
        {"left_at": NOW - DAY},
        {"left_reason": Reason.BOUNCED},
        {"left_reason": Reason.COMPLAINED},
        {"confirmed_at": None},
        {"status": Status.PENDING, "left_at": None, "left_reason": ""},
    ],
    ids=["a day ago", "bounced", "complained", "never confirmed", "asked anew"],
)
def test_otherwise_coming_back_takes_a_new_confirmation(ada, changed):
    Subscriber.objects.update(**changed)

    assert not lifecycle.rejoin(ada, NOW)

    assert not Subscriber.objects.mailable().exists()


def test_a_suppressed_address_does_not_come_back_this_way(ada):
    suppression.suppress(ADA, Suppression.Reason.ERASED, NOW)

    assert not lifecycle.rejoin(ada, NOW)


def test_each_new_state_has_a_new_link_to_confirm():
    ada = ask()
    nonces = [ada.confirmation_nonce]

    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)
    nonces.append(ada.confirmation_nonce)
    ada = ask(now=NOW + DAY)
    lifecycle.confirm(ada, NOW + DAY)
    nonces.append(ada.confirmation_nonce)

    assert len(set(nonces)) == 3


def test_a_subscriber_always_has_preferences():
    ask()
    Preferences.objects.all().delete()

    ask(now=NOW + DAY)

    assert Preferences.objects.get().subscriber.email == ADA
