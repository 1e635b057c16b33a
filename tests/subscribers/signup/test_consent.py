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


def consents() -> list[tuple[object, ...]]:
    fields = ("form", "text_version", "asked_at", "confirmed_at", "ip")
    return list(Consent.objects.order_by("pk").values_list(*fields))


def request_signup(form: FormKind = FormKind.PAGE, *, days: int = 0) -> Subscriber:
    return lifecycle.request_confirmation(
        ADA, [], "", NOW + days * DAY, consent_context=ConsentContext(form=form, ip=IP)
    )


def test_confirming_stores_one_consent_with_both_times():
    lifecycle.confirm(request_signup(FormKind.EMBED), NOW + DAY)

    assert consents() == [("embed", consent.CURRENT_VERSION, NOW, NOW + DAY, None)]


def test_the_latest_unconfirmed_request_replaces_earlier_ones():
    request_signup(FormKind.PAGE)
    lifecycle.confirm(request_signup(FormKind.API, days=1), NOW + 2 * DAY)

    assert consents() == [("api", consent.CURRENT_VERSION, NOW + DAY, NOW + 2 * DAY, None)]


def test_subscribing_again_adds_a_second_consent():
    ada = request_signup()
    lifecycle.confirm(ada, NOW)
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW + DAY)

    lifecycle.confirm(request_signup(days=2), NOW + 3 * DAY)

    assert [(asked_at, confirmed_at) for _, _, asked_at, confirmed_at, _ in consents()] == [
        (NOW, NOW),
        (NOW + 2 * DAY, NOW + 3 * DAY),
    ]


def test_a_request_for_an_active_reader_stores_no_consent():
    factories.subscriber(email=ADA)

    request_signup()

    assert consents() == []


def test_the_ip_address_is_stored_only_if_enabled(settings):
    settings.CONSENT_IP = True

    request_signup()

    assert Consent.objects.get().ip == IP


def test_consents_by_an_operator_are_marked_as_such():
    importing.add_all([import_rows.ImportRow(email=ADA)], confirmed=True, now=NOW)
    importing.add_or_update(
        import_rows.ImportRow(email="ben@example.org"), confirmed=False, now=NOW
    )

    assert consents() == [("import", "", NOW, NOW, None), ("command", "", NOW, None, None)]


def test_the_form_shows_the_current_consent_text(client):
    assert (
        consent.CONSENT_TEXTS[consent.CURRENT_VERSION] in client.get("/subscribe/").content.decode()
    )


def test_a_published_consent_text_never_changes():
    """New wording needs a new version: stored consents name the old one."""
    assert consent.CONSENT_TEXTS["2026-11"] == (
        "You ask for trending papers by email, at most once a day. One email comes first, to"
        " confirm that it was you. Leave with one click, any day."
    )
    assert all(len(version) <= 16 for version in consent.CONSENT_TEXTS)


@pytest.mark.parametrize("changed", [{"form": "fax"}, {"confirmed_at": None}])
def test_the_schema_refuses_unknown_forms_and_a_second_unconfirmed_consent(changed):
    ada = request_signup()
    fields = {"form": "page", "confirmed_at": NOW} | changed

    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(subscriber=ada, asked_at=NOW, **fields)
