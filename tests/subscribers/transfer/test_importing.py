"""subscribers/transfer/importing.py"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscribers import suppression
from subscribers.models import Consent, Preferences, Subscriber, Suppression
from subscribers.signup import lifecycle
from subscribers.transfer import import_rows, importing
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


def row(**fields: Any) -> import_rows.ImportRow:
    return import_rows.parse_row(
        {"email": ADA} | fields, known_topics=import_rows.load_topic_slugs()
    )


def test_the_dates_of_consent_are_stored():
    dates = {"asked_at": "2024-03-05 14:22:01", "confirmed_at": "2024-03-05T15:00:00+00:00"}

    importing.add_all([row(**dates)], confirmed=True, now=NOW)

    asked_at, confirmed_at = (
        datetime(2024, 3, 5, 14, 22, 1, tzinfo=UTC),
        datetime(2024, 3, 5, 15, tzinfo=UTC),
    )
    consents = Consent.objects.values_list("asked_at", "confirmed_at", "form")
    assert list(consents) == [(asked_at, confirmed_at, "import")]
    assert Subscriber.objects.get().confirmed_at == confirmed_at


@pytest.mark.parametrize("text", ["", "05/03/24", "2999-01-01", "9999-12-31T23:59:59-14:00"])
def test_an_ambiguous_or_future_date_of_consent_is_replaced_by_now(text):
    importing.add_all([row(asked_at=text, confirmed_at=text)], confirmed=True, now=NOW)

    assert Consent.objects.values_list("asked_at", "confirmed_at").get() == (NOW, NOW)


def test_without_the_operators_word_a_confirmation_date_does_not_confirm():
    date_text = "2024-03-05 14:22:01"

    importing.add_all([row(asked_at=date_text, confirmed_at=date_text)], confirmed=False, now=NOW)

    [stored] = Consent.objects.all()
    assert (stored.asked_at.year, stored.confirmed_at) == (2024, None)
    assert Subscriber.objects.get().status == Status.PENDING


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_dry_run_returns_the_same_counts_and_writes_nothing(confirmed):
    factories.subscriber(email="active@example.org")
    suppression.suppress("erased@example.org", Suppression.Reason.ERASED, NOW)
    emails = ["active@example.org", "erased@example.org", ADA, ADA, BEN]
    rows = [row(email=email) for email in emails]

    dry_run_counts = importing.add_all(rows, confirmed=confirmed, now=NOW, dry_run=True)
    emails_after_dry_run = list(Subscriber.objects.values_list("email", flat=True))
    counts = importing.add_all(rows, confirmed=confirmed, now=NOW)

    assert (
        dry_run_counts
        == counts
        == {"added": 2, "known": 1, "suppressed": 1, "repeated": 1, "undated": 2}
    )
    assert emails_after_dry_run == ["active@example.org"]


def test_all_preferences_are_imported():
    values = {
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

    importing.add_all([row(**values)], confirmed=True, now=NOW)

    preferences = Preferences.objects.get()
    attitudes = dict(preferences.topic_choices.values_list("topic__slug", "attitude"))
    assert attitudes == {"robotics": "follow", "speech": "mute"}
    assert {name: getattr(preferences, name) for name in import_rows.PREFERENCE_PARSERS} == {
        "frequency": "weekly",
        "weekday": 4,
        "length": 12,
        "detail": "titles",
        "minimum": 3,
        "paused_until": date(2026, 6, 1),
        "learning": False,
    }


def test_confirmed_subscribers_are_scheduled():
    rows = [row(topics="robotics", timezone="Europe/Berlin", hour="9")]

    counts = importing.add_all(rows, confirmed=True, now=NOW)

    assert counts == {"added": 1, "undated": 1}
    ada = Subscriber.objects.get()
    assert (ada.status, ada.confirmed_at) == ("active", NOW)
    assert ada.next_digest_at == NOW + HOUR
    assert [topic.slug for topic in ada.preferences.topics.all()] == ["robotics"]
    assert (ada.preferences.timezone, ada.preferences.hour) == ("Europe/Berlin", 9)


def test_unconfirmed_subscribers_are_pending_and_get_a_confirmation_mail():
    importing.add_all([row()], confirmed=False, now=NOW)

    ada = Subscriber.objects.get()
    assert (ada.status, ada.confirmation_requested_at) == ("pending", NOW)
    assert (ada.preferences.timezone, ada.preferences.hour) == ("UTC", 7)


@pytest.mark.parametrize("confirmed", [True, False])
def test_known_and_suppressed_addresses_are_skipped(confirmed):
    factories.subscriber(email="active@example.org", preferences={"hour": 12})
    factories.subscriber(email="left@example.org", status=Status.LEFT)
    suppression.suppress("erased@example.org", Suppression.Reason.ERASED, NOW)
    emails = ["active@example.org", "left@example.org", "erased@example.org", ADA, ADA]
    rows = [row(email=email, hour="9") for email in emails]

    first_counts = importing.add_all(rows, confirmed=confirmed, now=NOW)
    before = list(Subscriber.objects.order_by("pk").values())
    second_counts = importing.add_all(rows, confirmed=confirmed, now=NOW)

    assert first_counts == {"added": 1, "known": 2, "suppressed": 1, "repeated": 1, "undated": 1}
    assert second_counts == {"known": 3, "suppressed": 1, "repeated": 1}
    assert list(Subscriber.objects.order_by("pk").values()) == before
    assert Preferences.objects.get(subscriber__email="active@example.org").hour == 12
    assert Subscriber.objects.get(email="left@example.org").status == Status.LEFT


def test_a_batch_needs_the_same_queries_for_any_number_of_rows(django_assert_num_queries):
    def add(prefix: str, count: int) -> None:
        rows = [
            row(email=f"{prefix}{n}@example.org", topics="speech", authors="E. Noether")
            for n in range(count)
        ]
        with django_assert_num_queries(10):
            importing.add_all(rows, confirmed=True, now=NOW)

    add("a", 1)
    add("b", 3)


def test_queries_grow_only_with_the_number_of_batches(monkeypatch):
    monkeypatch.setattr(importing, "IMPORT_BATCH_SIZE", 3)

    def add(prefix: str, batches: int) -> int:
        rows = (
            import_rows.ImportRow(email=f"{prefix}{n}@example.org")
            for n in range(importing.IMPORT_BATCH_SIZE * batches)
        )
        with CaptureQueriesContext(connection) as queries:
            importing.add_all(rows, confirmed=True, now=NOW)
        return len(queries)

    assert add("b", 3) == 3 * add("a", 1)


def test_a_list_longer_than_a_batch_is_added_completely(monkeypatch):
    monkeypatch.setattr(importing, "IMPORT_BATCH_SIZE", 3)
    rows = (
        import_rows.ImportRow(email=f"reader{n}@example.org")
        for n in range(importing.IMPORT_BATCH_SIZE * 2 + 1)
    )

    counts = importing.add_all(rows, confirmed=True, now=NOW)

    assert (counts["added"], Subscriber.objects.count()) == (7, 7)


def test_updating_changes_only_the_given_preferences():
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


def test_an_operator_can_confirm_a_pending_subscriber():
    importing.add_or_update(row(), confirmed=False, now=NOW)

    ada = importing.add_or_update(row(), confirmed=True, now=NOW)

    assert (ada.status, ada.next_digest_at) == ("active", NOW + HOUR)


def test_updating_requests_no_second_confirmation_mail():
    ada = importing.add_or_update(row(), confirmed=False, now=NOW)
    Subscriber.objects.update(confirmation_requested_at=None, confirmation_sent_at=NOW)

    importing.add_or_update(row(), confirmed=False, now=NOW + 24 * HOUR)

    ada.refresh_from_db()
    assert ada.confirmation_requested_at is None


def test_an_operator_cannot_resubscribe_somebody_who_left():
    ada = importing.add_or_update(row(), confirmed=True, now=NOW)
    lifecycle.leave(ada, Reason.UNSUBSCRIBED, NOW)

    with pytest.raises(import_rows.InvalidRowError, match="only they can subscribe again"):
        importing.add_or_update(row(), confirmed=True, now=NOW)


@pytest.mark.parametrize("reason", Suppression.Reason)
def test_an_operator_cannot_lift_a_suppression(reason):
    suppression.suppress(ADA, reason, NOW)

    with pytest.raises(import_rows.InvalidRowError, match="only its owner can lift that"):
        importing.add_or_update(row(), confirmed=True, now=NOW)
