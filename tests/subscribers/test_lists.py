"""subscribers/lists.py"""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest

from papers.matching import Term
from subscribers import lists, signup, suppression
from subscribers.models import Preferences, Subscriber, Suppression
from tests import make

pytestmark = pytest.mark.django_db

Status, Reason = Subscriber.Status, Subscriber.Reason
NOW = make.NOW
HOUR = timedelta(hours=1)
ADA, BEN = "ada@example.org", "ben@example.org"


@pytest.fixture(autouse=True)
def _topics():
    make.topic("robotics")
    make.topic("speech")


def row(**fields: Any) -> lists.Row:
    return lists.row({"email": ADA} | fields, known_topics=lists.known_topics())


def read(text: str) -> list[tuple[int, lists.Row | str]]:
    return [
        (line, str(found) if isinstance(found, lists.BadRow) else found)
        for line, found in lists.read(io.StringIO(text, newline=""))
    ]


def test_what_is_not_said_stays_open():
    assert row(topics="", timezone=None) == lists.Row(email=ADA)


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

    assert found == lists.Row(
        email=ADA,
        topics=("robotics", "speech"),
        timezone="Asia/Tokyo",
        hour=0,
        follows={
            Term("category", "cs.RO"): "cs.RO",
            Term("category", "cs.IT"): "cs.IT",
            Term("author", "noether emmy"): "Noether, Emmy",
            Term("author", "lovelace ada"): "Ada Lovelace",
            Term("keyword", "state space model"): "State space models",
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
    with pytest.raises(lists.BadRow) as caught:
        row(**fields)

    assert str(caught.value) == sentence


def test_a_file_is_read_line_by_line_and_bad_lines_do_not_stop_it():
    text = 'Email, hour,topics\nada@example.org,9,"robotics,speech"\n\nben\nben@example.org,,\n'

    assert read(text) == [
        (2, lists.Row(email=ADA, hour=9, topics=("robotics", "speech"))),
        (4, "An email address must have an @-sign."),
        (5, lists.Row(email=BEN)),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The first line must name the columns"),
        ("ada@example.org\n", "The first line must name the columns"),
        ("email,topic\n", "There is no column 'topic'"),
        ('email\n"' + "x" * 200_000, "The file is not CSV"),
    ],
)
def test_what_is_not_a_list_of_readers_is_refused(text, sentence):
    with pytest.raises(lists.BadFile, match=sentence):
        read(text)


def test_a_line_with_too_many_fields_is_named():
    assert read("email\na@example.org,b,c\n") == [
        (2, "There are more fields than the header names.")
    ]


def test_confirmed_readers_are_due_at_their_hour():
    wanted = row(topics="robotics", timezone="Europe/Berlin", hour="9")

    counts = lists.add_all([wanted], confirmed=True, now=NOW)

    assert counts == {"added": 1}
    ada = Subscriber.objects.get()
    assert (ada.status, ada.confirmed_at) == ("active", NOW)
    assert ada.next_digest_at == NOW + HOUR
    assert [topic.slug for topic in ada.preferences.topics.all()] == ["robotics"]
    assert (ada.preferences.timezone, ada.preferences.hour) == ("Europe/Berlin", 9)


def test_others_are_asked_first():
    lists.add_all([row()], confirmed=False, now=NOW)

    ada = Subscriber.objects.get()
    assert (ada.status, ada.confirmation_requested_at) == ("pending", NOW)
    assert (ada.preferences.timezone, ada.preferences.hour) == ("UTC", 7)


@pytest.mark.parametrize("confirmed", [True, False])
def test_nobody_is_added_twice_nor_against_their_will(confirmed):
    make.subscriber(email="active@example.org", preferences={"hour": 12})
    make.subscriber(email="left@example.org", status=Status.LEFT)
    suppression.suppress("erased@example.org", Suppression.Reason.ERASED, NOW)
    emails = ["active@example.org", "left@example.org", "erased@example.org", ADA, ADA]
    rows = [row(email=email, hour="9") for email in emails]

    first = lists.add_all(rows, confirmed=confirmed, now=NOW)
    before = list(Subscriber.objects.order_by("pk").values())
    second = lists.add_all(rows, confirmed=confirmed, now=NOW)

    assert first == {"added": 1, "known": 3, "suppressed": 1}
    assert second == {"known": 4, "suppressed": 1}
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
            lists.add_all(rows, confirmed=True, now=NOW)

    add("a", 1)
    add("b", 3)


def test_a_long_list_is_added_page_by_page():
    rows = (lists.Row(email=f"reader{n}@example.org") for n in range(lists.PAGE * 2 + 1))

    counts = lists.add_all(rows, confirmed=True, now=NOW)

    assert counts == {"added": Subscriber.objects.count()} == {"added": 1001}


def test_adding_one_who_is_here_changes_what_is_said_and_no_more():
    lists.add(
        row(topics="robotics", hour="9", authors="E. Noether", keywords="mamba"),
        confirmed=True,
        now=NOW,
    )

    ada = lists.add(row(timezone="Asia/Tokyo", keywords="whales"), confirmed=False, now=NOW)

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
    lists.add(row(), confirmed=False, now=NOW)

    ada = lists.add(row(), confirmed=True, now=NOW)

    assert (ada.status, ada.next_digest_at) == ("active", NOW + HOUR)


def test_who_was_asked_is_not_asked_again():
    ada = lists.add(row(), confirmed=False, now=NOW)
    Subscriber.objects.update(confirmation_requested_at=None, confirmation_sent_at=NOW)

    lists.add(row(), confirmed=False, now=NOW + 24 * HOUR)

    ada.refresh_from_db()
    assert ada.confirmation_requested_at is None


def test_an_operator_cannot_bring_back_who_left():
    ada = lists.add(row(), confirmed=True, now=NOW)
    signup.leave(ada, Reason.UNSUBSCRIBED, NOW)

    with pytest.raises(lists.BadRow, match="only they themselves can come back"):
        lists.add(row(), confirmed=True, now=NOW)


@pytest.mark.parametrize("reason", Suppression.Reason)
def test_an_operator_cannot_lift_a_suppression(reason):
    suppression.suppress(ADA, reason, NOW)

    with pytest.raises(lists.BadRow, match="only its owner can end that"):
        lists.add(row(), confirmed=True, now=NOW)
