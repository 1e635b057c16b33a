"""subscribers/transfer/importing.py"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from papers.topics.follows import FollowTarget
from subscribers import suppression
from subscribers.models import Consent, Preferences, Subscriber, Suppression
from subscribers.signup import lifecycle
from subscribers.transfer import importing
from tests import factories

pytestmark = pytest.mark.django_db

Status, Reason = Subscriber.Status, Subscriber.LeftReason
NOW = factories.NOW
HOUR = timedelta(hours=1)
ADA, BEN = "ada@example.org", "ben@example.org"


@pytest.fixture(autouse=True)
def _topics():
    factories.topic("robotics")
    factories.topic("speech")


def row(**fields: Any) -> importing.ImportRow:
    return importing.parse_row({"email": ADA} | fields, known_topics=importing.load_topic_slugs())


def test_what_is_not_said_stays_open():
    assert row(topics="", timezone=None) == importing.ImportRow(email=ADA)


@pytest.mark.parametrize("topics", ["robotics,speech", "robotics, speech", "robotics;speech"])
def test_everything_that_can_be_said(topics):
    found = row(
        email=" Ada@Example.org ",
        topics=topics,
        timezone="Asia/Tokyo",
        hour="00",
        categories="cs.RO;math.IT",
        authors="Noether, Emmy; Ada Lovelace",
        keywords="State space models",
    )

    assert found == importing.ImportRow(
        email=ADA,
        topics=("robotics", "speech"),
        timezone="Asia/Tokyo",
        hour=0,
        follows={
            FollowTarget("category", "cs.RO"): "cs.RO",
            FollowTarget("category", "cs.IT"): "cs.IT",
            FollowTarget("author", "noether emmy"): "Noether, Emmy",
            FollowTarget("author", "lovelace ada"): "Ada Lovelace",
            FollowTarget("keyword", "state space model"): "State space models",
        },
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": "ada"}, "An email address must have an @-sign."),
        ({"email": ""}, "An email address must have an @-sign."),
        ({"topics": "robotics,astrology"}, "There is no topic 'astrology'."),
        ({"timezone": "Berlin"}, "There is no time zone 'Berlin': they look like Europe/Berlin."),
        ({"hour": "24"}, "The hour must be a number from 0 to 23, not '24'."),
        ({"hour": "７"}, "The hour must be a number from 0 to 23, not '７'."),
        ({"categories": "§"}, "arXiv has no category “§”. They look like cs.RO or math.AG."),
        (
            {"authors": "??"},
            "“??” is not a name that could be found. Please write it as on a paper.",
        ),
        ({"hour": "7:30"}, "The hour must be a number from 0 to 23, not '7:30'."),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(fields, sentence):
    with pytest.raises(importing.InvalidRowError) as caught:
        row(**fields)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"frequency": "hourly"}, "The frequency cannot be that: Select a valid choice."),
        ({"length": "21"}, "The length cannot be that: Ensure this value is less than"),
        ({"paused_until": "soon"}, "The paused_until cannot be that: Enter a valid date."),
        ({"muted": "astrology"}, "There is no topic 'astrology'."),
    ],
)
def test_a_setting_that_cannot_be_is_told_too(fields, sentence):
    with pytest.raises(importing.InvalidRowError, match=sentence):
        row(**fields)


def test_a_date_of_consent_that_is_theirs_is_kept():
    dates = {"asked_at": "2024-03-05 14:22:01", "confirmed_at": "2024-03-05T15:00:00+00:00"}

    importing.add_all([row(**dates)], confirmed=True, now=NOW)

    asked, confirmed = (
        datetime(2024, 3, 5, 14, 22, 1, tzinfo=UTC),
        datetime(2024, 3, 5, 15, tzinfo=UTC),
    )
    proofs = Consent.objects.values_list("asked_at", "confirmed_at", "form")
    assert list(proofs) == [(asked, confirmed, "import")]
    assert Subscriber.objects.get().confirmed_at == confirmed


@pytest.mark.parametrize("written", ["", "05/03/24", "2999-01-01", "9999-12-31T23:59:59-14:00"])
def test_a_date_that_is_not_sure_or_not_yet_is_not_taken(written):
    importing.add_all([row(asked_at=written, confirmed_at=written)], confirmed=True, now=NOW)

    assert Consent.objects.values_list("asked_at", "confirmed_at").get() == (NOW, NOW)


def test_who_is_asked_first_has_not_confirmed_here_whatever_the_list_says():
    then = "2024-03-05 14:22:01"

    importing.add_all([row(asked_at=then, confirmed_at=then)], confirmed=False, now=NOW)

    [proof] = Consent.objects.all()
    assert (proof.asked_at.year, proof.confirmed_at) == (2024, None)
    assert Subscriber.objects.get().status == Status.PENDING


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_dry_run_counts_the_same_and_writes_nothing(confirmed):
    factories.subscriber(email="active@example.org")
    suppression.suppress("erased@example.org", Suppression.Reason.ERASED, NOW)
    emails = ["active@example.org", "erased@example.org", ADA, ADA, BEN]
    rows = [row(email=email) for email in emails]

    dry = importing.add_all(rows, confirmed=confirmed, now=NOW, dry_run=True)
    there = list(Subscriber.objects.values_list("email", flat=True))
    real = importing.add_all(rows, confirmed=confirmed, now=NOW)

    assert dry == real == {"added": 2, "known": 1, "suppressed": 1, "repeated": 1, "undated": 2}
    assert there == ["active@example.org"]


def test_everything_that_can_be_chosen_comes_along():
    said = {
        "topics": "robotics",
        "muted": "speech",
        "frequency": "weekly",
        "weekday": "4",
        "length": "12",
        "detail": "titles",
        "minimum": "3",
        "paused_until": "2026-06-01",
        "learning": "no",
    }

    importing.add_all([row(**said)], confirmed=True, now=NOW)

    wanted = Preferences.objects.get()
    attitudes = dict(wanted.topic_choices.values_list("topic__slug", "attitude"))
    assert attitudes == {"robotics": "follow", "speech": "mute"}
    assert {name: getattr(wanted, name) for name in importing.PREFERENCE_PARSERS} == {
        "frequency": "weekly",
        "weekday": 4,
        "length": 12,
        "detail": "titles",
        "minimum": 3,
        "paused_until": date(2026, 6, 1),
        "learning": False,
    }


def test_confirmed_readers_are_due_at_their_hour():
    wanted = row(topics="robotics", timezone="Europe/Berlin", hour="9")

    counts = importing.add_all([wanted], confirmed=True, now=NOW)

    assert counts == {"added": 1, "undated": 1}
    ada = Subscriber.objects.get()
    assert (ada.status, ada.confirmed_at) == ("active", NOW)
    assert ada.next_digest_at == NOW + HOUR
    assert [topic.slug for topic in ada.preferences.topics.all()] == ["robotics"]
    assert (ada.preferences.timezone, ada.preferences.hour) == ("Europe/Berlin", 9)


def test_others_are_asked_first():
    importing.add_all([row()], confirmed=False, now=NOW)

    ada = Subscriber.objects.get()
    assert (ada.status, ada.confirmation_requested_at) == ("pending", NOW)
    assert (ada.preferences.timezone, ada.preferences.hour) == ("UTC", 7)


@pytest.mark.parametrize("confirmed", [True, False])
def test_nobody_is_added_twice_nor_against_their_will(confirmed):
    factories.subscriber(email="active@example.org", preferences={"hour": 12})
    factories.subscriber(email="left@example.org", status=Status.LEFT)
    suppression.suppress("erased@example.org", Suppression.Reason.ERASED, NOW)
    emails = ["active@example.org", "left@example.org", "erased@example.org", ADA, ADA]
    rows = [row(email=email, hour="9") for email in emails]

    first = importing.add_all(rows, confirmed=confirmed, now=NOW)
    before = list(Subscriber.objects.order_by("pk").values())
    second = importing.add_all(rows, confirmed=confirmed, now=NOW)

    assert first == {"added": 1, "known": 2, "suppressed": 1, "repeated": 1, "undated": 1}
    assert second == {"known": 3, "suppressed": 1, "repeated": 1}
    assert list(Subscriber.objects.order_by("pk").values()) == before
    assert Preferences.objects.get(subscriber__email="active@example.org").hour == 12
    assert Subscriber.objects.get(email="left@example.org").status == Status.LEFT


def test_a_page_of_a_list_costs_the_same_however_long(django_assert_num_queries):
    def add(prefix: str, count: int) -> None:
        rows = [
            row(email=f"{prefix}{n}@example.org", topics="speech", authors="E. Noether")
            for n in range(count)
        ]
        with django_assert_num_queries(10):
            importing.add_all(rows, confirmed=True, now=NOW)

    add("a", 1)
    add("b", 3)


def test_a_list_of_many_pages_costs_as_much_for_each():
    def add(prefix: str, pages: int) -> int:
        rows = (
            importing.ImportRow(email=f"{prefix}{n}@example.org")
            for n in range(importing.IMPORT_BATCH_SIZE * pages)
        )
        with CaptureQueriesContext(connection) as queries:
            importing.add_all(rows, confirmed=True, now=NOW)
        return len(queries)

    assert add("b", 3) == 3 * add("a", 1)


def test_a_long_list_is_added_page_by_page():
    rows = (
        importing.ImportRow(email=f"reader{n}@example.org")
        for n in range(importing.IMPORT_BATCH_SIZE * 2 + 1)
    )

    counts = importing.add_all(rows, confirmed=True, now=NOW)

    assert (counts["added"], Subscriber.objects.count()) == (1001, 1001)


def test_adding_one_who_is_here_changes_what_is_said_and_no_more():
    importing.add_or_update(
        row(topics="robotics", hour="9", authors="E. Noether", keywords="mamba"),
        confirmed=True,
        now=NOW,
    )

    ada = importing.add_or_update(
        row(timezone="Asia/Tokyo", keywords="whales"), confirmed=False, now=NOW
    )

    assert (ada.status, ada.preferences.timezone, ada.preferences.hour) == (
        "active",
        "Asia/Tokyo",
        9,
    )
    assert [topic.slug for topic in ada.preferences.topics.all()] == ["robotics"]
    assert [follow.label for follow in ada.follows.order_by("pk")] == ["E. Noether", "whales"]
    ada.refresh_from_db()
    assert ada.next_digest_at == NOW + 18 * HOUR


def test_an_operator_can_confirm_one_who_waits():
    importing.add_or_update(row(), confirmed=False, now=NOW)

    ada = importing.add_or_update(row(), confirmed=True, now=NOW)

    assert (ada.status, ada.next_digest_at) == ("active", NOW + HOUR)


def test_who_was_asked_is_not_asked_again():
    ada = importing.add_or_update(row(), confirmed=False, now=NOW)
    Subscriber.objects.update(confirmation_requested_at=None, confirmation_sent_at=NOW)

    importing.add_or_update(row(), confirmed=False, now=NOW + 24 * HOUR)

    ada.refresh_from_db()
    assert ada.confirmation_requested_at is None


def test_an_operator_cannot_bring_back_who_left():
    ada = importing.add_or_update(row(), confirmed=True, now=NOW)
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)

    with pytest.raises(importing.InvalidRowError, match="only they themselves can come back"):
        importing.add_or_update(row(), confirmed=True, now=NOW)


@pytest.mark.parametrize("reason", Suppression.Reason)
def test_an_operator_cannot_lift_a_suppression(reason):
    suppression.suppress(ADA, reason, NOW)

    with pytest.raises(importing.InvalidRowError, match="only its owner can end that"):
        importing.add_or_update(row(), confirmed=True, now=NOW)
