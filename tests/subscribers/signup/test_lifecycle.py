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
NOW = factories.NOW  # 06:00 UTC: the digest at 07:00 is still to come.
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADA = "ada@example.org"


def request_signup(email: str = ADA, **changed: Any) -> Subscriber:
    fields: dict[str, Any] = {"topics": ["robotics"], "timezone": "Europe/Berlin", "now": NOW}
    return lifecycle.request_confirmation(email, **fields | changed)


def topics_of(subscriber: Subscriber) -> set[str]:
    return set(subscriber.preferences.topics.values_list("slug", flat=True))


@pytest.fixture(autouse=True)
def _topics():
    factories.topic("robotics")
    factories.topic("speech")


def test_a_new_address_is_pending_with_its_choices():
    request_signup("Ada@Example.ORG")

    ada = Subscriber.objects.get()
    assert (ada.email, ada.status, ada.confirmation_requested_at) == (ADA, "pending", NOW)
    assert (topics_of(ada), ada.preferences.timezone) == ({"robotics"}, "Europe/Berlin")


def test_missing_topics_and_time_zone_mean_the_defaults():
    request_signup(topics=[], timezone="")

    ada = Subscriber.objects.get()
    assert (topics_of(ada), ada.preferences.timezone) == (set(), "UTC")


def test_the_latest_form_replaces_unconfirmed_choices():
    request_signup()
    request_signup(topics=["speech"], timezone="Asia/Tokyo", now=NOW + HOUR)

    ada = Subscriber.objects.get()
    assert (topics_of(ada), ada.preferences.timezone) == ({"speech"}, "Asia/Tokyo")


def test_a_request_does_not_change_an_active_reader_s_choices():
    ada = factories.subscriber(email=ADA, topics=["speech"], next_digest_at=NOW)

    request_signup()

    ada.refresh_from_db()
    assert (ada.status, topics_of(ada), ada.preferences.timezone) == (
        "active",
        {"speech"},
        "UTC",
    )
    assert (ada.next_digest_at, ada.confirmation_requested_at) == (NOW, NOW)


def test_a_reader_who_left_must_confirm_again():
    factories.subscriber(email=ADA, status=Status.LEFT)

    request_signup()

    ada = Subscriber.objects.get()
    assert (ada.status, ada.left_at, ada.left_reason) == ("pending", None, "")
    assert ada.confirmation_requested_at == NOW


def test_an_unknown_topic_is_ignored():
    request_signup(topics=["robotics", "astrology"])

    assert topics_of(Subscriber.objects.get()) == {"robotics"}


def test_an_invalid_address_stores_nothing():
    with pytest.raises(InvalidAddressError):
        request_signup("ada")

    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("reason", Suppression.Reason)
def test_confirming_removes_a_suppression_but_a_request_does_not(reason):
    suppression.suppress(ADA, reason, NOW)

    ada = request_signup()
    assert suppression.is_suppressed(ADA)

    lifecycle.confirm(ada, NOW)
    assert not suppression.is_suppressed(ADA)


def test_confirming_activates_and_schedules_the_first_digest():
    ada = request_signup()

    lifecycle.confirm(ada, NOW)

    assert (ada.status, ada.confirmed_at) == ("active", NOW)
    assert ada.next_digest_at == NOW + 23 * HOUR  # 07:00 in Berlin was an hour ago.
    assert topics_of(ada) == {"robotics"}


def test_confirming_again_changes_nothing():
    ada = request_signup()
    lifecycle.confirm(ada, NOW)
    before = Subscriber.objects.values().get()

    lifecycle.confirm(ada, NOW + HOUR)

    assert Subscriber.objects.values().get() == before


def test_of_two_concurrent_confirmations_the_first_counts():
    request_signup()
    first, second = Subscriber.objects.get(), Subscriber.objects.get()

    lifecycle.confirm(first, NOW)
    lifecycle.confirm(second, NOW + HOUR)

    assert Subscriber.objects.get().confirmed_at == NOW


def test_a_link_opened_before_leaving_does_not_confirm_after_it():
    request_signup()
    opened, leaving = Subscriber.objects.get(), Subscriber.objects.get()

    lifecycle.leave(leaving, Reason.UNSUBSCRIBED, NOW)
    request_signup(now=NOW + DAY)  # Pending again, with a new link.
    lifecycle.confirm(opened, NOW + DAY)

    assert opened.status == Status.PENDING


def test_confirming_clears_the_queued_request():
    ada = request_signup()

    lifecycle.confirm(ada, NOW)

    assert (ada.confirmation_requested_at, ada.confirmation_count) == (None, 0)


@pytest.mark.parametrize("status", [Status.PENDING, Status.ACTIVE])
@pytest.mark.parametrize("reason", Reason)
def test_leaving_takes_effect_at_once_and_cancels_what_is_due(status, reason):
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
def test_the_most_severe_reason_persists_in_any_order(reasons):
    ada = factories.subscriber()

    for reason in reasons * 2:
        lifecycle.leave(ada, reason, NOW)

    assert ada.left_reason == Reason.COMPLAINED


def test_every_reason_has_a_severity():
    assert sorted(lifecycle.REASONS_BY_SEVERITY) == sorted(Reason)


@pytest.fixture
def ada():
    """Return a long-time reader who has just unsubscribed."""
    ada = factories.subscriber(email=ADA, topics=["speech"])
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)
    return ada


def test_rejoining_within_a_day_restores_the_subscription(ada):
    assert lifecycle.rejoin(ada, NOW + HOUR / 2)

    assert (ada.status, ada.left_at, ada.left_reason) == ("active", None, "")
    assert (topics_of(ada), ada.next_digest_at) == ({"speech"}, NOW + HOUR)


def test_rejoining_again_changes_nothing(ada):
    lifecycle.rejoin(ada, NOW)
    before = Subscriber.objects.values().get()

    assert lifecycle.rejoin(ada, NOW + 2 * HOUR)

    assert Subscriber.objects.values().get() == before


def test_rejoining_does_not_repeat_the_digest_of_the_date(ada):
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
def test_rejoining_is_refused_in_other_states(ada, changed):
    Subscriber.objects.update(**changed)

    assert not lifecycle.rejoin(ada, NOW)

    assert not Subscriber.objects.mailable().exists()


def test_a_suppressed_address_cannot_rejoin(ada):
    suppression.suppress(ADA, Suppression.Reason.ERASED, NOW)

    assert not lifecycle.rejoin(ada, NOW)


def test_every_change_of_state_renews_the_confirmation_link():
    ada = request_signup()
    nonces = [ada.confirmation_nonce]

    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)
    nonces.append(ada.confirmation_nonce)
    ada = request_signup(now=NOW + DAY)
    lifecycle.confirm(ada, NOW + DAY)
    nonces.append(ada.confirmation_nonce)

    assert len(set(nonces)) == 3


def test_a_request_restores_missing_preferences():
    request_signup()
    Preferences.objects.all().delete()

    request_signup(now=NOW + DAY)

    assert Preferences.objects.get().subscriber.email == ADA
