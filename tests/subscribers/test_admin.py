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
def desk(client):
    return factories.login_operator(client)


def found(response) -> list[int]:
    return [row.pk for row in response.context["cl"].result_list]


def test_a_reader_is_found_by_address_or_id(desk):
    ada, ben = factories.subscriber(email=ADA), factories.subscriber()

    assert found(desk.get(READERS)) == [ben.pk, ada.pk]
    assert found(desk.get(READERS, {"q": ADA})) == [ada.pk]
    assert found(desk.get(READERS, {"q": "ADA@Example.org"})) == [ada.pk]
    assert found(desk.get(READERS, {"q": str(ben.pk)})) == [ben.pk]
    assert found(desk.get(READERS, {"q": "9" * 30})) == []
    assert found(desk.get(READERS, {"q": "nobody"})) == []


def test_a_proof_of_consent_is_found_by_its_reader_and_stays_as_it_is(desk):
    consent.record_request(
        ada := factories.subscriber(email=ADA), consent.ConsentContext(), now=factories.NOW
    )
    consent.record_request(factories.subscriber(), consent.ConsentContext(), now=factories.NOW)

    [proof] = found(desk.get("/admin/subscribers/consent/", {"q": ADA}))

    assert ada.consents.get().pk == proof
    desk.post(f"/admin/subscribers/consent/{proof}/change/", {"form": "api"})
    assert ada.consents.get().form == "page"
    assert desk.get("/admin/subscribers/consent/add/").status_code == 403


def form(subscriber: Subscriber, *topics: str, **changed: str) -> dict[str, Any]:
    """What the desk's form sends, and more than it may."""
    wanted = {
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
        **{f"preferences-0-{name}": value for name, value in (wanted | changed).items()},
    }


@pytest.mark.parametrize("readers", [1, 3])
def test_the_list_costs_the_same_however_many(desk, readers, django_assert_num_queries):
    for _ in range(readers):
        factories.subscriber(topics=["robotics"])

    with django_assert_num_queries(5):
        desk.get(READERS)


def test_new_preferences_move_the_next_digest_and_nothing_else_can_be_changed(desk):
    topic = factories.topic("robotics")
    ada = factories.subscriber(email=ADA)
    response = desk.post(f"{READERS}{ada.pk}/change/", form(ada, topic.slug))

    assert response.status_code == 302
    ada = Subscriber.objects.get()
    assert (ada.email, ada.status, ada.next_digest_at) == (ADA, "active", NOW + HOUR)
    [choice] = Preferences.objects.get().topic_choices.all()
    assert (choice.topic, choice.attitude) == (topic, "prefer")
    assert [follow.label for follow in ada.follows.all()] == ["Emmy Noether"]


def test_a_bad_choice_is_refused_here_too(desk):
    ada = factories.subscriber()
    sent = form(ada, timezone="Mars/Olympus")

    response = desk.post(f"{READERS}{ada.pk}/change/", sent)

    assert response.status_code == 200
    assert "This time zone is not known." in response.content.decode()
    assert Preferences.objects.get().timezone == "UTC"


@pytest.mark.parametrize(
    ("action", "reason", "suppressed"),
    [("unsubscribe", "unsubscribed", False), ("suppress", "complained", True)],
)
def test_actions_do_what_readers_and_providers_would(desk, action, reason, suppressed):
    ada = factories.subscriber(email=ADA, next_digest_at=NOW)

    desk.post(READERS, {"action": action, "_selected_action": [str(ada.pk)]})

    ada.refresh_from_db()
    assert (ada.status, ada.left_reason, ada.next_digest_at) == ("left", reason, None)
    assert suppression.is_suppressed(ADA) is suppressed


def test_a_suppression_is_found_by_the_address_it_does_not_hold(desk):
    suppression.suppress(ADA, Suppression.Reason.BOUNCED, NOW)
    row = Suppression.objects.get()

    assert found(desk.get(SUPPRESSIONS, {"q": " Ada@example.org"})) == [row.pk]
    assert found(desk.get(SUPPRESSIONS, {"q": "ben@example.org"})) == []
    assert found(desk.get(SUPPRESSIONS, {"q": "ada"})) == []
    assert found(desk.get(SUPPRESSIONS)) == [row.pk]


@pytest.mark.parametrize("page", [READERS, SUPPRESSIONS])
def test_nothing_is_invented_or_deleted_at_the_desk(desk, page):
    factories.subscriber(email=ADA)
    suppression.suppress(ADA, Suppression.Reason.BOUNCED, NOW)
    [pk] = found(desk.get(page))

    assert desk.get(f"{page}add/").status_code == 403
    assert desk.post(f"{page}{pk}/delete/", {"post": "yes"}).status_code == 403


def test_why_people_leave_is_counted_by_reason(desk):
    for reason in ["too_many", "too_many", "other"]:
        UnsubscribeFeedback.objects.create(reason=reason, words="x", said_on=NOW.date())

    page = desk.get("/admin/subscribers/unsubscribefeedback/").content.decode()

    assert "Too many emails (2)" in page
    assert "Something else (1)" in page
    assert desk.get("/admin/subscribers/unsubscribefeedback/add/").status_code == 403


def test_soft_bounces_are_found_by_their_reader(desk):
    ada = factories.subscriber()
    row = SoftBounce.objects.create(subscriber=ada, message="m", happened_at=NOW)

    assert found(desk.get("/admin/subscribers/softbounce/", {"q": str(ada.pk)})) == [row.pk]
    assert found(desk.get("/admin/subscribers/softbounce/", {"q": "other"})) == []
