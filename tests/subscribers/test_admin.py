"""subscribers/admin.py"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from subscribers import suppression
from subscribers.models import Preferences, SoftBounce, Subscriber, Suppression, UnsubscribeFeedback
from subscribers.signup import consent
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
HOUR = timedelta(hours=1)
READERS, SUPPRESSIONS = "/admin/subscribers/subscriber/", "/admin/subscribers/suppression/"
ADA = "ada@example.org"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def operator(client):
    return factories.login_operator(client)


def listed_ids(response) -> list[int]:
    return [row.pk for row in response.context["cl"].result_list]


def test_a_subscriber_is_found_by_address_or_id(operator):
    ada, ben = factories.subscriber(email=ADA), factories.subscriber()

    assert listed_ids(operator.get(READERS)) == [ben.pk, ada.pk]
    assert listed_ids(operator.get(READERS, {"q": ADA})) == [ada.pk]
    assert listed_ids(operator.get(READERS, {"q": "ADA@Example.org"})) == [ada.pk]
    assert listed_ids(operator.get(READERS, {"q": str(ben.pk)})) == [ben.pk]
    assert listed_ids(operator.get(READERS, {"q": "9" * 30})) == []
    assert listed_ids(operator.get(READERS, {"q": "nobody"})) == []


def test_a_consent_is_found_by_its_subscriber_and_cannot_be_changed(operator):
    consent.record_request(
        ada := factories.subscriber(email=ADA), consent.ConsentContext(), now=factories.NOW
    )
    consent.record_request(factories.subscriber(), consent.ConsentContext(), now=factories.NOW)

    [consent_id] = listed_ids(operator.get("/admin/subscribers/consent/", {"q": ADA}))

    assert ada.consents.get().pk == consent_id
    operator.post(f"/admin/subscribers/consent/{consent_id}/change/", {"form": "api"})
    assert ada.consents.get().form == "page"
    assert operator.get("/admin/subscribers/consent/add/").status_code == 403


def form(subscriber: Subscriber, *topics: str, **changed: str) -> dict[str, Any]:
    """Return form data of the change page, with read-only fields that must be ignored."""
    values = {
        "length": "5",
        "minimum": "1",
        "detail": "short",
        "frequency": "daily",
        "hour": "9",
        "timezone": "Europe/Berlin",
        "authors": "Emmy Noether",
        **{f"attitudes-{slug}": "prefer" for slug in topics},
    }
    return {
        "email": "eve@example.org",
        "status": "left",
        "preferences-TOTAL_FORMS": "1",
        "preferences-INITIAL_FORMS": "1",
        "preferences-0-id": str(subscriber.preferences.pk),
        "preferences-0-subscriber": str(subscriber.pk),
        **{f"preferences-0-{name}": value for name, value in (values | changed).items()},
    }


@pytest.mark.parametrize("readers", [1, 3])
def test_the_list_needs_the_same_queries_for_any_number_of_subscribers(
    operator, readers, django_assert_num_queries
):
    for _ in range(readers):
        factories.subscriber(topics=["robotics"])

    with django_assert_num_queries(5):
        operator.get(READERS)


def test_preferences_can_be_changed_and_the_digest_is_rescheduled(operator):
    topic = factories.topic("robotics")
    ada = factories.subscriber(email=ADA)
    response = operator.post(f"{READERS}{ada.pk}/change/", form(ada, topic.slug))

    assert response.status_code == 302
    ada = Subscriber.objects.get()
    assert (ada.email, ada.status, ada.next_digest_at) == (ADA, "active", NOW + HOUR)
    [choice] = Preferences.objects.get().topic_choices.all()
    assert (choice.topic, choice.attitude) == (topic, "prefer")
    assert [follow.label for follow in ada.follows.all()] == ["Emmy Noether"]


def test_invalid_preferences_are_rejected(operator):
    ada = factories.subscriber()
    data = form(ada, timezone="Mars/Olympus")

    response = operator.post(f"{READERS}{ada.pk}/change/", data)

    assert response.status_code == 200
    assert "Unknown time zone." in response.content.decode()
    assert Preferences.objects.get().timezone == "UTC"


@pytest.mark.parametrize(
    ("action", "reason", "suppressed"),
    [("unsubscribe", "unsubscribed", False), ("suppress", "complained", True)],
)
def test_actions_unsubscribe_and_suppress(operator, action, reason, suppressed):
    ada = factories.subscriber(email=ADA, next_digest_at=NOW)

    operator.post(READERS, {"action": action, "_selected_action": [str(ada.pk)]})

    ada.refresh_from_db()
    assert (ada.status, ada.left_reason, ada.next_digest_at) == ("left", reason, None)
    assert suppression.is_suppressed(ADA) is suppressed


def test_a_suppression_is_found_by_the_address(operator):
    suppression.suppress(ADA, Suppression.Reason.BOUNCED, NOW)
    row = Suppression.objects.get()

    assert listed_ids(operator.get(SUPPRESSIONS, {"q": " Ada@example.org"})) == [row.pk]
    assert listed_ids(operator.get(SUPPRESSIONS, {"q": "ben@example.org"})) == []
    assert listed_ids(operator.get(SUPPRESSIONS, {"q": "ada"})) == []
    assert listed_ids(operator.get(SUPPRESSIONS)) == [row.pk]


@pytest.mark.parametrize("page", [READERS, SUPPRESSIONS])
def test_rows_cannot_be_added_or_deleted(operator, page):
    factories.subscriber(email=ADA)
    suppression.suppress(ADA, Suppression.Reason.BOUNCED, NOW)
    [pk] = listed_ids(operator.get(page))

    assert operator.get(f"{page}add/").status_code == 403
    assert operator.post(f"{page}{pk}/delete/", {"post": "yes"}).status_code == 403


def test_exit_survey_answers_are_counted_by_reason(operator):
    for reason in ["too_many", "too_many", "other"]:
        UnsubscribeFeedback.objects.create(reason=reason, words="x", said_on=NOW.date())

    page = operator.get("/admin/subscribers/unsubscribefeedback/").content.decode()

    assert "Too many emails (2)" in page
    assert "Something else (1)" in page
    assert operator.get("/admin/subscribers/unsubscribefeedback/add/").status_code == 403


def test_soft_bounces_are_found_by_their_subscriber(operator):
    ada = factories.subscriber()
    row = SoftBounce.objects.create(subscriber=ada, message="m", happened_at=NOW)

    assert listed_ids(operator.get("/admin/subscribers/softbounce/", {"q": str(ada.pk)})) == [
        row.pk
    ]
    assert listed_ids(operator.get("/admin/subscribers/softbounce/", {"q": "other"})) == []
