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


def asked(*, status: str = Status.PENDING, **fields: Any) -> Subscriber:
    """Somebody whose request waits since a minute ago."""
    defaults: dict[str, Any] = {"confirmation_requested_at": NOW - MINUTE, "confirmation_count": 1}
    return factories.subscriber(email=ADA, status=status, **defaults | fields)


def answered(status: int) -> AnymailRequestsAPIError:
    response = requests.Response()
    response.status_code, response.reason = status, "because"
    return AnymailRequestsAPIError(f"to {ADA}", response=response)


@pytest.fixture
def failing(monkeypatch):
    """Let sending raise an error, as a provider's backend would."""

    def fail_with(error: Exception | None) -> None:
        def send(self: EmailMultiAlternatives, fail_silently: bool = False) -> int:  # noqa: FBT001, FBT002
            if error:
                raise error
            return 1

        monkeypatch.setattr(EmailMultiAlternatives, "send", send)

    return fail_with


def test_who_asked_gets_one_mail_to_confirm(mailoutbox):
    ada = asked()

    assert confirmations.send(ada.pk, now=NOW)

    [message] = mailoutbox
    assert message.to == [ADA]
    assert "/confirm/" in message.body
    ada.refresh_from_db()
    assert (ada.confirmation_requested_at, ada.confirmation_sent_at) == (None, NOW)


def test_who_is_subscribed_already_gets_their_preferences_instead(mailoutbox):
    ada = asked(status=Status.ACTIVE)

    confirmations.send(ada.pk, now=NOW)

    [message] = mailoutbox
    assert "/preferences/" in message.body
    assert "/confirm/" not in message.body


def test_sending_again_sends_nothing(mailoutbox):
    ada = asked()

    assert confirmations.send(ada.pk, now=NOW)
    assert not confirmations.send(ada.pk, now=NOW + MINUTE)

    assert len(mailoutbox) == 1


def test_of_two_who_read_the_same_request_one_claims_it():
    asked()
    mine, theirs = Subscriber.objects.get(), Subscriber.objects.get()

    assert confirmations.claim_request(mine, now=NOW)
    assert not confirmations.claim_request(theirs, now=NOW)


def test_a_request_is_claimed_before_it_is_sent(monkeypatch):
    ada = asked()
    sent = []

    def send(self: EmailMultiAlternatives) -> None:
        sent.append(self.to)
        assert not confirmations.send(ada.pk, now=NOW)  # another worker, meanwhile

    monkeypatch.setattr(EmailMultiAlternatives, "send", send)

    assert confirmations.send(ada.pk, now=NOW)
    assert sent == [[ADA]]


def test_who_left_before_the_mail_is_not_written_to(mailoutbox):
    ada = asked()
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    assert not confirmations.send(ada.pk, now=NOW)
    assert mailoutbox == []


def test_who_was_erased_before_the_mail_is_not_written_to(mailoutbox):
    ada = asked()
    ada.delete()

    assert not confirmations.send(ada.pk or 0, now=NOW)
    assert mailoutbox == []


def test_the_same_request_has_the_same_message_id_whenever_it_is_tried(settings):
    ada = asked()

    ids = {confirmations.build_reply(ada).extra_headers["Message-ID"] for _ in range(2)}

    assert ids == {f"<confirmation-{ada.pk}-20260512055900000000@{settings.SITE_HOST}>"}


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(), answered(429), AnymailConfigurationError("no key")]
)
def test_what_surely_did_not_leave_waits_for_the_next_sweep(error, failing, mailoutbox):
    ada = asked(confirmation_sent_at=NOW - HOUR)
    failing(error)

    assert not confirmations.send(ada.pk, now=NOW)

    ada.refresh_from_db()
    assert ada.confirmation_requested_at == NOW - MINUTE
    assert ada.confirmation_sent_at == NOW - HOUR
    assert confirmations.due_subscriber_ids(now=NOW, limit=9) == [ada.pk]

    failing(None)
    assert confirmations.send(ada.pk, now=NOW + MINUTE)


@pytest.mark.parametrize("error", [TimeoutError(), answered(500), answered(422)])
def test_what_may_have_left_is_not_sent_again(error, failing):
    ada = asked()
    failing(error)

    assert not confirmations.send(ada.pk, now=NOW)

    assert confirmations.due_subscriber_ids(now=NOW, limit=9) == []


def test_an_error_nobody_foresaw_is_not_swallowed(failing):
    ada = asked()
    failing(KeyError("template"))

    with pytest.raises(KeyError):
        confirmations.send(ada.pk, now=NOW)


@pytest.mark.parametrize("error", [answered(429), answered(500)])
def test_logs_hold_ids_and_no_address(error, failing, caplog):
    ada = asked()
    failing(error)

    with caplog.at_level(logging.DEBUG, "subscribers"):
        confirmations.send(ada.pk, now=NOW)

    [record] = caplog.records
    assert f"subscriber {ada.pk}:" in record.getMessage()
    assert ADA not in caplog.text


def request_at(ada: Subscriber, moment: Any) -> bool:
    """Somebody asks at that moment, and what waits is sent at once."""
    ada.refresh_from_db()
    confirmations.enqueue_request(ada, now=moment)
    return confirmations.send(ada.pk, now=moment)


def test_an_address_gets_three_mails_a_day_however_often_somebody_asks(mailoutbox, monkeypatch):
    # Its own limit; the counter of mailboxes goes by the clock on the wall, which stands still.
    monkeypatch.setattr(confirmations, "PER_MAILBOX_LIMIT", "100/day")
    ada = factories.subscriber(status=Status.PENDING)

    asked_at = range(0, 2 * 24 * 60 + 100, 5)
    sent = [minute for minute in asked_at if request_at(ada, NOW + minute * MINUTE)]

    day = 24 * 60
    assert sent == [
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

    sent = [hour for hour in range(49) if request_at(ada, NOW + hour * HOUR)]

    assert sent == [0, 24, 48]


def test_who_left_before_confirming_gets_no_other_mail_that_day(mailoutbox):
    ada = asked()
    confirmations.send(ada.pk, now=NOW)
    lifecycle.leave(ada, Subscriber.LeftReason.UNSUBSCRIBED, NOW)

    lifecycle.request_confirmation(ADA, [], "", NOW + HOUR)
    assert not confirmations.send(ada.pk, now=NOW + HOUR)

    lifecycle.request_confirmation(ADA, [], "", NOW + 24 * HOUR)
    assert confirmations.send(ada.pk, now=NOW + 24 * HOUR)


def test_confirming_renews_the_budget(mailoutbox):
    ada = asked(confirmation_count=3)
    confirmations.send(ada.pk, now=NOW)
    ada.refresh_from_db()

    lifecycle.confirm(ada, NOW + MINUTE)

    assert request_at(ada, NOW + 2 * MINUTE)


def test_asking_again_while_a_request_waits_is_the_same_request():
    ada = asked()

    confirmations.enqueue_request(ada, now=NOW)

    ada.refresh_from_db()
    assert (ada.confirmation_requested_at, ada.confirmation_count) == (NOW, 1)


def test_the_sweep_takes_the_longest_waiting_first_and_not_all_at_once():
    late, early, _last = (
        factories.subscriber(status=Status.PENDING, confirmation_requested_at=NOW - wait * MINUTE)
        for wait in (2, 3, 1)
    )
    factories.subscriber(status=Status.PENDING)  # asks for nothing

    assert confirmations.due_subscriber_ids(now=NOW, limit=2) == [early.pk, late.pk]


def test_a_request_of_the_day_before_yesterday_is_not_answered(mailoutbox):
    ada = asked(confirmation_requested_at=NOW - timedelta(days=1))

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
def test_names_of_one_mailbox_are_counted_together(email, mailbox):
    assert confirmations.canonical_mailbox(email) == mailbox


def test_what_a_mailbox_has_no_room_for_is_dropped_and_not_tried_for_ever(mailoutbox, monkeypatch):
    monkeypatch.setattr(confirmations, "PER_MAILBOX_LIMIT", "1/day")
    names = [
        factories.subscriber(
            email=f"ada+{number}@example.org",
            status=Status.PENDING,
            confirmation_requested_at=NOW - MINUTE,
        )
        for number in range(3)
    ]

    assert [confirmations.send(each.pk, now=NOW) for each in names] == [True, False, False]
    assert confirmations.due_subscriber_ids(now=NOW, limit=10) == []


def test_with_a_fuse_of_nothing_nothing_leaves_and_all_wait(mailoutbox, settings):
    settings.CONFIRMATIONS_PER_HOUR = 0
    ada = asked()

    assert not confirmations.send(ada.pk, now=NOW)
    assert (mailoutbox, confirmations.due_subscriber_ids(now=NOW, limit=10)) == ([], [ada.pk])
