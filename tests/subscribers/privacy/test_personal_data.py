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
from subscribers.transfer import import_rows, importing
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
ADA = "ada@example.org"


def all_rows() -> str:
    """Return every row of every table, as JSON."""
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


def test_the_export_holds_every_row_about_a_reader_and_no_others(ada):
    factories.subscriber(email="ben@example.org", topics=["robotics"])

    data = personal_data.export_subscriber(ada)

    assert sorted(data) == [
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
    assert data["topics"] == {"robotics": "follow", "speech": "mute"}
    assert [row["label"] for row in data["follows"]] == ["Emmy Noether"]
    assert [row["verb"] for row in data["votes"]] == ["less"]
    assert {len(data["deliveries"]), len(data["preferences"])} == {1}
    assert "ben@" not in json.dumps(data, cls=DjangoJSONEncoder)


def test_the_export_contains_no_secrets(ada):
    export = json.dumps(personal_data.export_subscriber(ada), cls=DjangoJSONEncoder)

    assert "nonce" not in export
    assert str(ada.confirmation_nonce) not in export
    assert suppression.address_hash(ADA) not in export


def test_the_export_holds_the_reason_of_a_suppression(ada):
    suppression.suppress(ADA, Suppression.Reason.BOUNCED, NOW)

    data = personal_data.export_subscriber(ada)

    assert data["suppressed"]
    assert data["suppressions"] == [{"reason": "bounced", "created_at": NOW}]


def test_a_reader_without_preferences_can_be_exported():
    reader = Subscriber.objects.create(email=ADA)

    assert personal_data.export_subscriber(reader)["topics"] == {}


def test_erasing_blanks_exit_survey_comments_that_contain_the_address(ada):
    for comment in (f"Bye! {ADA.title()}", "Too long."):
        UnsubscribeFeedback.objects.create(reason="other", words=comment, said_on=NOW.date())

    personal_data.erase_subscriber(ADA, NOW)

    assert list(UnsubscribeFeedback.objects.order_by("pk").values_list("words", flat=True)) == [
        "",
        "Too long.",
    ]


def test_erasing_leaves_no_identifier_in_any_table(ada):
    identifiers = [ADA, "ada", str(ada.public_id), ada.public_id.hex, str(ada.confirmation_nonce)]
    assert [text for text in identifiers if text in all_rows()] != []

    assert personal_data.erase_subscriber(ADA, NOW)

    for model in (Preferences, TopicChoice, Follow, Vote):
        assert not model._default_manager.exists()
    assert [text for text in identifiers if text in all_rows()] == []


def test_an_import_does_not_add_an_erased_address_again(ada):
    personal_data.erase_subscriber(ADA, NOW)

    counts = importing.add_all([import_rows.ImportRow(email=ADA)], confirmed=True, now=NOW)

    assert counts == {"suppressed": 1}
    assert not Subscriber.objects.exists()


def test_erasing_an_unknown_address_suppresses_it():
    assert not personal_data.erase_subscriber(ADA, NOW)

    assert suppression.is_suppressed(ADA)


def test_erasing_keeps_the_reason_of_a_complaint(ada):
    suppression.suppress(ADA, Suppression.Reason.COMPLAINED, NOW)

    personal_data.erase_subscriber(ADA, NOW)

    assert Suppression.objects.get().reason == Suppression.Reason.COMPLAINED
