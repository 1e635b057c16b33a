"""subscribers/privacy/personal_data.py"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder

from subscribers import suppression
from subscribers.models import (
    Follow,
    Preferences,
    Subscriber,
    Suppression,
    TopicChoice,
    UnsubscribeFeedback,
    Vote,
)
from subscribers.privacy import personal_data
from subscribers.signup import consent
from subscribers.transfer import importing
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
ADA = "ada@example.org"


def all_rows() -> str:
    """Every row of every table, as text."""
    rows: list[Any] = [list(model._default_manager.values()) for model in apps.get_models()]
    return json.dumps(rows, cls=DjangoJSONEncoder)


@pytest.fixture
def ada():
    ada = factories.subscriber(
        email=ADA,
        topics=["robotics"],
        attitudes={"speech": "mute"},
        follows=[("author", "noether e", "Emmy Noether")],
    )
    factories.delivery(edition=factories.edition(), subscriber=ada)
    consent.record_request(ada, consent.ConsentContext(ip="192.0.2.7"), now=NOW)
    factories.vote(ada, factories.paper(), "less")
    return ada


def test_the_export_holds_every_row_about_them_and_no_other_s(ada):
    factories.subscriber(email="ben@example.org", topics=["robotics"])

    kept = personal_data.export_subscriber(ada)

    assert sorted(kept) == [
        "consents",
        "deliveries",
        "follows",
        "preferences",
        "provider events",
        "soft bounces",
        "subscriber",
        "suppressed",
        "suppressions",
        "topics",
        "votes",
    ]
    assert kept["topics"] == {"robotics": "follow", "speech": "mute"}
    assert [row["label"] for row in kept["follows"]] == ["Emmy Noether"]
    assert [row["verb"] for row in kept["votes"]] == ["less"]
    assert {len(kept["deliveries"]), len(kept["preferences"])} == {1}
    assert "ben@" not in json.dumps(kept, cls=DjangoJSONEncoder)


def test_the_export_opens_no_door(ada):
    kept = json.dumps(personal_data.export_subscriber(ada), cls=DjangoJSONEncoder)

    assert "nonce" not in kept
    assert str(ada.confirmation_nonce) not in kept
    assert suppression.address_hash(ADA) not in kept


def test_why_they_are_not_written_to_is_theirs_to_know(ada):
    suppression.suppress(ADA, Suppression.Reason.BOUNCED, NOW)

    kept = personal_data.export_subscriber(ada)

    assert kept["suppressed"]
    assert kept["suppressions"] == [{"reason": "bounced", "created_at": NOW}]


def test_who_never_chose_can_read_what_is_kept_too():
    reader = Subscriber.objects.create(email=ADA)

    assert personal_data.export_subscriber(reader)["topics"] == {}


def test_an_address_that_somebody_signed_a_farewell_with_goes_and_other_words_stay(ada):
    for words in (f"Bye! {ADA.title()}", "Too long."):
        UnsubscribeFeedback.objects.create(reason="other", words=words, said_on=NOW.date())

    personal_data.erase_subscriber(ADA, NOW)

    assert list(UnsubscribeFeedback.objects.order_by("pk").values_list("words", flat=True)) == [
        "",
        "Too long.",
    ]


def test_nothing_that_names_them_is_left_in_any_table(ada):
    names = [ADA, "ada", str(ada.public_id), ada.public_id.hex, str(ada.confirmation_nonce)]
    assert [name for name in names if name in all_rows()] != []

    assert personal_data.erase_subscriber(ADA, NOW)

    for model in (Preferences, TopicChoice, Follow, Vote):
        assert not model._default_manager.exists()
    assert [name for name in names if name in all_rows()] == []


def test_erasing_outlives_a_new_list(ada):
    personal_data.erase_subscriber(ADA, NOW)

    counts = importing.add_all([importing.ImportRow(email=ADA)], confirmed=True, now=NOW)

    assert counts == {"suppressed": 1}
    assert not Subscriber.objects.exists()


def test_an_address_of_which_nothing_is_kept_is_never_written_to_either():
    assert not personal_data.erase_subscriber(ADA, NOW)

    assert suppression.is_suppressed(ADA)


def test_erasing_does_not_make_a_complaint_lighter(ada):
    suppression.suppress(ADA, Suppression.Reason.COMPLAINED, NOW)

    personal_data.erase_subscriber(ADA, NOW)

    assert Suppression.objects.get().reason == Suppression.Reason.COMPLAINED
