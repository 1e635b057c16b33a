"""subscribers/signup/consent.py"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from subscribers.models import Consent, Subscriber
from subscribers.signup import consent, lifecycle
from subscribers.signup.consent import ConsentContext, FormKind
from subscribers.transfer import import_rows, importing
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
DAY = timedelta(days=1)
ADA = "ada@example.org"
IP = "192.0.2.7"


def proofs() -> list[tuple[object, ...]]:
    fields = ("form", "text_version", "asked_at", "confirmed_at", "ip")
    return list(Consent.objects.order_by("pk").values_list(*fields))


def ask(form: FormKind = FormKind.PAGE, *, days: int = 0) -> Subscriber:
    return lifecycle.request_confirmation(
        ADA, [], "", NOW + days * DAY, consent_context=ConsentContext(form=form, ip=IP)
    )


def test_who_asks_and_confirms_leaves_one_proof_with_both_moments():
    lifecycle.confirm(ask(FormKind.EMBED), NOW + DAY)

    assert proofs() == [("embed", consent.CURRENT_VERSION, NOW, NOW + DAY, None)]


def test_who_asks_twice_before_confirming_is_held_to_the_newest():
    ask(FormKind.PAGE)
    lifecycle.confirm(ask(FormKind.API, days=1), NOW + 2 * DAY)

    assert proofs() == [("api", consent.CURRENT_VERSION, NOW + DAY, NOW + 2 * DAY, None)]


def test_who_comes_back_leaves_a_second_proof_and_the_first_stays():
    ada = ask()
    lifecycle.confirm(ada, NOW)
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW + DAY)

    lifecycle.confirm(ask(days=2), NOW + 3 * DAY)

    assert [(asked, confirmed) for _, _, asked, confirmed, _ in proofs()] == [
        (NOW, NOW),
        (NOW + 2 * DAY, NOW + 3 * DAY),
    ]


def test_a_stranger_who_types_a_reader_s_address_proves_nothing():
    factories.subscriber(email=ADA)

    ask()

    assert proofs() == []


def test_where_somebody_asked_from_is_kept_only_if_the_operator_has_to(settings):
    settings.CONSENT_IP = True

    ask()

    assert Consent.objects.get().ip == IP


def test_who_an_operator_brings_is_marked_so():
    importing.add_all([import_rows.ImportRow(email=ADA)], confirmed=True, now=NOW)
    importing.add_or_update(
        import_rows.ImportRow(email="ben@example.org"), confirmed=False, now=NOW
    )

    assert proofs() == [("import", "", NOW, NOW, None), ("command", "", NOW, None, None)]


def test_the_sentence_on_the_form_is_the_one_that_is_named(client):
    assert (
        consent.CONSENT_TEXTS[consent.CURRENT_VERSION] in client.get("/subscribe/").content.decode()
    )


def test_a_text_that_was_shown_is_never_changed():
    """A new wording gets a new version: proofs of readers name the old."""
    assert consent.CONSENT_TEXTS["2026-11"] == (
        "You ask for trending papers by email, at most once a day. One email comes first, to"
        " confirm that it was you. Leave with one click, any day."
    )
    assert all(len(version) <= 16 for version in consent.CONSENT_TEXTS)


@pytest.mark.parametrize("changed", [{"form": "fax"}, {"confirmed_at": None}])
def test_the_schema_refuses_an_unknown_form_and_two_open_proofs(changed):
    ada = ask()
    fields = {"form": "page", "confirmed_at": NOW} | changed

    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(subscriber=ada, asked_at=NOW, **fields)
