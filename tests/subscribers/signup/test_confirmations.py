"""subscribers/signup/confirmations.py"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
import requests
from anymail.exceptions import AnymailConfigurationError, AnymailRequestsAPIError
from django.core.mail import EmailMultiAlternatives

from subscribers import suppression
from subscribers.models import Subscriber, Suppression
from subscribers.signup import confirmations, lifecycle
from tests import factories

pytestmark = pytest.mark.django_db

Status = Subscriber.Status
NOW = factories.NOW
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ADA = "ada@example.org"


def pending_request(*, status: str = Status.PENDING, **fields: Any) -> Subscriber:
    """Create a subscriber whose request was queued a minute ago."""
    defaults: dict[str, Any] = {"confirmation_requested_at": NOW - MINUTE, "confirmation_count": 1}
    return factories.subscriber(email=ADA, status=status, **defaults | fields)


def api_error(status: int) -> AnymailRequestsAPIError:
    response = requests.Response()
    response.status_code, response.reason = status, "because"
    return AnymailRequestsAPIError(f"to {ADA}", response=response)


@pytest.fixture
def failing(monkeypatch):
    """Make sending raise an error, as a provider's backend would."""

    def fail_with(error: Exception | None) -> None:
        def send(self: EmailMultiAlternatives, fail_silently: bool = False) -> int:  # noqa: FBT001, FBT002
            if error:
                raise error
            return 1

        monkeypatch.setattr(EmailMultiAlternatives, "send", send)

    return fail_with


def test_a_request_is_answered_with_a_link_to_confirm(mailoutbox):
    ada = pending_request()

    assert confirmations.send(ada.pk, now=NOW)

    [message] = mailoutbox
    assert message.to == [ADA]
    assert "/confirm/" in message.body
    ada.refresh_from_db()
    assert (ada.confirmation_requested_at, ada.confirmation_sent_at) == (None, NOW)


def test_an_active_reader_gets_a_preferences_link_instead(mailoutbox):
    ada = pending_request(status=Status.ACTIVE)

    confirmations.send(ada.pk, now=NOW)

    [message] = mailoutbox
    assert "/preferences/" in message.body
    assert "/confirm/" not in message.body


def test_a_request_is_answered_only_once(mailoutbox):
    ada = pending_request()

    assert confirmations.send(ada.pk, now=NOW)
    assert not confirmations.send(ada.pk, now=NOW + MINUTE)

    assert len(mailoutbox) == 1


def test_only_one_worker_claims_a_request():
    pending_request()
    first, second = Subscriber.objects.get(), Subscriber.objects.get()

    assert confirmations.claim_request(first, now=NOW)
    assert not confirmations.claim_request(second, now=NOW)


def test_a_request_is_claimed_before_it_is_sent(monkeypatch):
    ada = pending_request()
    sent = []

    def send(self: EmailMultiAlternatives) -> None:
        sent.append(self.to)
        assert not confirmations.send(ada.pk, now=NOW)  # Another worker at the same time.

    monkeypatch.setattr(EmailMultiAlternatives, "send", send)

    assert confirmations.send(ada.pk, now=NOW)
    assert sent == [[ADA]]


def test_a_subscriber_who_left_gets_no_mail(mailoutbox):
    ada = pending_request()
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    assert not confirmations.send(ada.pk, now=NOW)
    assert mailoutbox == []


def test_a_subscriber_who_was_erased_gets_no_mail(mailoutbox):
    ada = pending_request()
    ada.delete()

    assert not confirmations.send(ada.pk or 0, now=NOW)
    assert mailoutbox == []


def test_every_attempt_at_a_request_has_the_same_message_id(settings):
    ada = pending_request()

    ids = {confirmations.build_reply(ada).extra_headers["Message-ID"] for _ in range(2)}

    assert ids == {f"<confirmation-{ada.pk}-20260512055900000000@{settings.SITE_HOST}>"}


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(), api_error(429), AnymailConfigurationError("no key")]
)
def test_a_mail_that_was_certainly_not_sent_is_requeued(error, failing, mailoutbox):
    ada = pending_request(confirmation_sent_at=NOW - HOUR)
    failing(error)

    assert not confirmations.send(ada.pk, now=NOW)

    ada.refresh_from_db()
    assert ada.confirmation_requested_at == NOW - MINUTE
    assert ada.confirmation_sent_at == NOW - HOUR
    assert confirmations.due_subscriber_ids(now=NOW, limit=9) == [ada.pk]

    failing(None)
    assert confirmations.send(ada.pk, now=NOW + MINUTE)


@pytest.mark.parametrize("error", [TimeoutError(), api_error(500), api_error(422)])
def test_a_mail_that_may_have_been_sent_is_not_repeated(error, failing):
    ada = pending_request()
    failing(error)

    assert not confirmations.send(ada.pk, now=NOW)

    assert confirmations.due_subscriber_ids(now=NOW, limit=9) == []


def test_an_unexpected_error_propagates(failing):
    ada = pending_request()
    failing(KeyError("template"))

    with pytest.raises(KeyError):
        confirmations.send(ada.pk, now=NOW)


@pytest.mark.parametrize("error", [api_error(429), api_error(500)])
def test_logs_contain_ids_but_no_address(error, failing, caplog):
    ada = pending_request()
    failing(error)

    with caplog.at_level(logging.DEBUG, "subscribers"):
        confirmations.send(ada.pk, now=NOW)

    [record] = caplog.records
    assert f"subscriber {ada.pk}:" in record.getMessage()
    assert ADA not in caplog.text


def request_and_claim(ada: Subscriber, moment: Any) -> bool:
    """Queue a request at that time and claim it at once, without building its mail."""
    ada.refresh_from_db()
    return confirmations.enqueue_request(ada, now=moment) and confirmations.claim_request(
        ada, now=moment
    )


def request_and_send(ada: Subscriber, moment: Any) -> bool:
    """Queue a request at that time and send its mail at once."""
    ada.refresh_from_db()
    confirmations.enqueue_request(ada, now=moment)
    return confirmations.send(ada.pk, now=moment)


def test_an_address_gets_at_most_three_mails_a_day():
    ada = factories.subscriber(status=Status.PENDING)

    minutes = range(0, 2 * 24 * 60 + 100, 5)
    claimed = [minute for minute in minutes if request_and_claim(ada, NOW + minute * MINUTE)]

    day = 24 * 60
    assert claimed == [
        0,
        10,
        20,
        day + 20,
        day + 30,
        day + 40,
        2 * day + 40,
        2 * day + 50,
        2 * day + 60,
    ]


def test_a_suppressed_address_gets_one_mail_a_day(mailoutbox):
    ada = factories.subscriber(status=Status.PENDING)
    suppression.suppress(ada.email, Suppression.Reason.BOUNCED, NOW)

    sent = [hour for hour in range(49) if request_and_send(ada, NOW + hour * HOUR)]

    assert sent == [0, 24, 48]


def test_declining_stops_confirmation_mails_for_a_day(mailoutbox):
    ada = pending_request()
    confirmations.send(ada.pk, now=NOW)
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    lifecycle.request_confirmation(ADA, [], "", NOW + HOUR)
    assert not confirmations.send(ada.pk, now=NOW + HOUR)

    lifecycle.request_confirmation(ADA, [], "", NOW + 24 * HOUR)
    assert confirmations.send(ada.pk, now=NOW + 24 * HOUR)


def test_confirming_resets_the_limit(mailoutbox):
    ada = pending_request(confirmation_count=3)
    confirmations.send(ada.pk, now=NOW)
    ada.refresh_from_db()

    lifecycle.confirm(ada, NOW + MINUTE)

    assert request_and_send(ada, NOW + 2 * MINUTE)


def test_a_repeated_request_renews_the_queued_one():
    ada = pending_request()

    confirmations.enqueue_request(ada, now=NOW)

    ada.refresh_from_db()
    assert (ada.confirmation_requested_at, ada.confirmation_count) == (NOW, 1)


def test_due_requests_are_limited_and_oldest_first():
    late, early, _last = (
        factories.subscriber(status=Status.PENDING, confirmation_requested_at=NOW - wait * MINUTE)
        for wait in (2, 3, 1)
    )
    factories.subscriber(status=Status.PENDING)  # No request.

    assert confirmations.due_subscriber_ids(now=NOW, limit=2) == [early.pk, late.pk]


def test_a_request_older_than_a_day_is_not_answered(mailoutbox):
    ada = pending_request(confirmation_requested_at=NOW - timedelta(days=1))

    assert confirmations.due_subscriber_ids(now=NOW, limit=9) == []
    assert not confirmations.send(ada.pk, now=NOW)

    confirmations.enqueue_request(ada, now=NOW)

    assert confirmations.send(ada.pk, now=NOW)


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("ada@example.org", "ada@example.org"),
        ("ada+papers@example.org", "ada@example.org"),
        ("a.d.a+x+y@gmail.com", "ada@gmail.com"),
        ("a.d.a@example.org", "a.d.a@example.org"),
        ("+x@example.org", "@example.org"),
    ],
)
def test_addresses_of_one_mailbox_share_a_canonical_form(email, mailbox):
    assert confirmations.canonical_mailbox(email) == mailbox


def test_mails_over_the_mailbox_limit_are_dropped(mailoutbox, monkeypatch):
    monkeypatch.setattr(confirmations, "PER_MAILBOX_LIMIT", "1/day")
    subscribers = [
        factories.subscriber(
            email=f"ada+{number}@example.org",
            status=Status.PENDING,
            confirmation_requested_at=NOW - MINUTE,
        )
        for number in range(3)
    ]

    assert [confirmations.send(subscriber.pk, now=NOW) for subscriber in subscribers] == [
        True,
        False,
        False,
    ]
    assert confirmations.due_subscriber_ids(now=NOW, limit=10) == []


def test_an_hourly_limit_of_zero_keeps_all_requests_queued(mailoutbox, settings):
    settings.CONFIRMATIONS_PER_HOUR = 0
    ada = pending_request()

    assert not confirmations.send(ada.pk, now=NOW)
    assert (mailoutbox, confirmations.due_subscriber_ids(now=NOW, limit=10)) == ([], [ada.pk])
