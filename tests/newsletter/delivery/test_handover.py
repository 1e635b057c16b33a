"""newsletter/delivery/handover.py"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from werkzeug import Response

from newsletter.delivery import claiming, handover, pacing
from newsletter.delivery.providers.file import FileProvider
from newsletter.delivery.providers.plain import SingleMessageProvider
from newsletter.digest import rendering
from newsletter.editions import receipt
from newsletter.models import Batch, Delivery, Edition
from subscribers.models import Subscriber
from tests import factories
from tests.newsletter.conftest import FakeProvider, refuse_with

# A claim must be committed before the provider is called: no test here may run in a transaction.
pytestmark = pytest.mark.django_db(transaction=True)

State = Delivery.State
NOW = factories.NOW


def clock() -> datetime:
    return NOW


def after_lease() -> datetime:
    return NOW + handover.BATCH_LEASE


def edition_with(*readers: Subscriber) -> Edition:
    """An edition of two papers about robotics with a pending delivery for each reader."""
    edition = factories.edition(papers=[factories.paper(topics=["robotics"]) for _ in range(2)])
    for reader in readers:
        factories.delivery(edition=edition, subscriber=reader)
    return edition


def claimed(edition: Edition) -> claiming.ClaimedBatch:
    batch = claiming.claim(
        edition, rendering.Renderer(edition), limit=50, now=NOW, counts=Counter()
    )
    assert batch
    return batch


def states(edition: Edition) -> Counter[str]:
    return Counter(edition.deliveries.values_list("state", flat=True))


def test_each_reader_gets_one_message(provider: FakeProvider) -> None:
    ada, ben = (
        factories.subscriber(email="ada@example.org"),
        factories.subscriber(email="ben@example.org"),
    )
    edition = edition_with(ada, ben)

    counts = handover.deliver(edition, clock=clock)

    assert provider.recipients == ["ada@example.org", "ben@example.org"]
    assert counts == states(edition) == {State.HANDED_OVER: 2}


def test_delivering_again_sends_nothing(provider: FakeProvider) -> None:
    edition = edition_with(factories.subscriber())

    handover.deliver(edition, clock=clock)
    counts = handover.deliver(edition, clock=clock)

    assert (provider.call_count, counts) == (1, {})


def test_a_delivery_that_was_handed_over_has_the_provider_s_message_id(
    provider: FakeProvider,
) -> None:
    edition = edition_with(factories.subscriber())

    handover.deliver(edition, clock=clock)

    row = edition.deliveries.get()
    assert (row.message_id, row.attempted_at, row.settled_at) == ("postmark-1", NOW, NOW)
    assert Batch.objects.get().finished_at == NOW


def test_the_message_carries_our_delivery_id_as_metadata(provider: FakeProvider) -> None:
    edition = edition_with(factories.subscriber())

    handover.deliver(edition, clock=clock)

    [message] = provider.accepted
    row = edition.deliveries.get()
    assert message["Metadata"]["delivery"] == str(row.pk)
    assert message["Metadata"]["edition"] == "2026-05-12"


def test_a_digest_in_the_mailbox_is_a_complete_email(mailbox_dir: Path) -> None:
    edition = edition_with(factories.subscriber(email="ada@example.org", topics=["robotics"]))

    handover.deliver(edition, clock=clock)

    [path] = mailbox_dir.glob("*.eml")
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    parts = [part.get_content_type() for part in message.walk()]
    assert parts == ["multipart/alternative", "text/plain", "text/html"]
    assert message["To"] == "ada@example.org"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].startswith("<http")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"]


def test_the_claim_is_committed_before_the_provider_is_called(provider: FakeProvider) -> None:
    edition = edition_with(factories.subscriber())
    committed: list[tuple[str, bool, bool]] = []

    def record_row(message: dict[str, Any]) -> Response | None:
        row = edition.deliveries.get()
        committed.append((row.state, row.batch_id is not None, row.attempted_at is not None))
        return None

    provider.before_accept = record_row
    handover.deliver(edition, clock=clock)

    assert committed == [(State.CLAIMED, True, True)]


def test_a_delivery_without_a_digest_is_settled_and_the_provider_is_not_called(
    provider: FakeProvider,
) -> None:
    edition = edition_with(factories.subscriber(topics=["speech"]))

    counts = handover.deliver(edition, clock=clock)

    row = edition.deliveries.get()
    assert (row.state, row.reason) == (State.CANCELLED, Delivery.CancellationReason.NO_MATCH)
    assert counts == {State.CANCELLED: 1}
    assert provider.call_count == 0


@pytest.mark.parametrize(
    "error_message",
    [
        "Found inactive addresses: gone@example.org. Inactive recipients are ones that …",
        "A message that nobody foresaw.",
    ],
)
def test_a_refused_recipient_is_failed_and_the_others_get_their_digest(
    error_message: str, provider: FakeProvider
) -> None:
    edition = edition_with(
        factories.subscriber(email="gone@example.org"),
        factories.subscriber(email="ben@example.org"),
    )
    no_such_user = refuse_with(422, code=406, error_message=error_message)
    provider.before_accept = lambda message: (
        no_such_user(message) if message["To"] == "gone@example.org" else None
    )

    handover.deliver(edition, clock=clock)

    assert states(edition) == {State.FAILED: 1, State.HANDED_OVER: 1}
    assert provider.recipients == ["ben@example.org"]


def test_an_invalid_address_is_failed_and_the_others_get_their_digest(
    provider: FakeProvider,
) -> None:
    invalid, ben = factories.subscriber(email="a@b.example, c@d.example"), factories.subscriber()
    edition = edition_with(invalid, ben)

    handover.deliver(edition, clock=clock)

    assert edition.deliveries.get(subscriber=invalid).state == State.FAILED
    assert provider.recipients == [ben.email]


def test_a_digest_that_cannot_be_rendered_does_not_block_the_others(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ada, ben = factories.subscriber(), factories.subscriber()
    edition = edition_with(ada, ben)
    message = rendering.Renderer.message

    def fails_for_ada(self: Any, row: Delivery, reader: Subscriber, *rest: Any) -> Any:
        if reader == ada:
            raise LookupError("no such topic")
        return message(self, row, reader, *rest)

    monkeypatch.setattr(rendering.Renderer, "message", fails_for_ada)
    handover.deliver(edition, clock=clock)

    row = edition.deliveries.get(subscriber=ada)
    assert (row.state, row.error) == (State.PENDING, "LookupError: no such topic")
    assert row.retry_at == NOW + timedelta(minutes=1)
    assert provider.recipients == [ben.email]
    assert f"delivery {row.pk}: could not be rendered" in caplog.text


def test_a_rate_limited_provider_is_not_called_again_and_no_delivery_is_lost(
    provider: FakeProvider,
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])
    provider.before_accept = refuse_with(429, Retry_After="120")

    first = handover.deliver(edition, clock=clock)
    second = handover.deliver(edition, clock=clock)

    assert states(edition) == {State.PENDING: 3}
    assert provider.call_count == 1
    assert (first["paused"], second["paused"]) == (1, 1)
    assert pacing.paused_until(now=NOW) == NOW + timedelta(seconds=120)


def test_every_reader_gets_the_digest_after_the_pause(provider: FakeProvider) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])
    provider.before_accept = refuse_with(429, Retry_After="120")
    handover.deliver(edition, clock=clock)

    provider.before_accept = lambda message: None
    handover.deliver(edition, clock=lambda: NOW + timedelta(seconds=121))
    assert states(edition) == {State.HANDED_OVER: 2, State.PENDING: 1}
    handover.deliver(edition, clock=lambda: NOW + timedelta(seconds=181))

    assert states(edition) == {State.HANDED_OVER: 3}
    assert len(set(provider.recipients)) == 3


@pytest.mark.parametrize("status", [403, 404, 409, 413, 429])
def test_a_message_that_is_always_refused_does_not_block_the_others(
    status: int, provider: FakeProvider
) -> None:
    edition = edition_with(
        factories.subscriber(email="refused@example.org"), factories.subscriber()
    )
    refuse = refuse_with(status)
    provider.before_accept = lambda message: (
        refuse(message) if message["To"] == "refused@example.org" else None
    )

    for minute in range(3):
        moment = NOW + timedelta(minutes=minute, seconds=minute)
        handover.deliver(edition, clock=lambda: moment)  # noqa: B023 -- called at once

    assert states(edition) == {State.PENDING: 1, State.HANDED_OVER: 1}


def test_a_refused_message_is_retried_with_exponential_backoff(
    provider: FakeProvider,
) -> None:
    edition = edition_with(factories.subscriber())
    provider.before_accept = refuse_with(422, code=9999)
    waits = []

    def at(now: datetime) -> Callable[[], datetime]:
        return lambda: now

    for hour in range(3):
        now = NOW + timedelta(hours=hour)
        handover.deliver(edition, clock=at(now))
        row = edition.deliveries.get()
        assert row.retry_at
        waits.append(row.retry_at - now)

    assert row.state == State.PENDING
    assert waits == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]


def test_without_a_response_the_outcome_is_unknown_and_never_sent_again(
    provider: FakeProvider,
) -> None:
    edition = edition_with(factories.subscriber(), factories.subscriber())

    def respond_too_late(message: dict[str, Any]) -> Response | None:
        time.sleep(1.5)
        return None

    provider.before_accept = respond_too_late
    handover.deliver(edition, clock=clock)
    assert states(edition) == {State.UNKNOWN: 1, State.PENDING: 1}

    provider.before_accept = lambda message: None
    handover.deliver(edition, clock=lambda: NOW + timedelta(hours=1))
    assert states(edition) == {State.UNKNOWN: 1, State.HANDED_OVER: 1}
    assert provider.call_count == 2


def test_a_server_error_leaves_the_outcome_unknown(provider: FakeProvider) -> None:
    edition = edition_with(factories.subscriber())
    provider.before_accept = refuse_with(500)

    handover.deliver(edition, clock=clock)

    assert states(edition) == {State.UNKNOWN: 1}


def test_an_unreachable_provider_leaves_every_delivery_pending(settings: Any) -> None:
    settings.EMAIL_PROVIDER = "postmark"
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": "http://127.0.0.1:9/",
    }
    edition = edition_with(factories.subscriber(), factories.subscriber())

    handover.deliver(edition, clock=clock)

    assert states(edition) == {State.PENDING: 2}


def test_a_batch_that_runs_out_of_time_releases_the_rest(
    provider: FakeProvider, settings: Any
) -> None:
    settings.SEND_RATE = 0.01  # one message every 100 seconds
    edition = edition_with(*[factories.subscriber() for _ in range(3)])

    handover.deliver(edition, clock=clock, until=NOW + timedelta(seconds=1))

    assert states(edition) == {State.HANDED_OVER: 1, State.PENDING: 2}


class Killed(BaseException):
    """Ends a worker like SIGKILL: no handler of Exception runs."""


def kill_in(where: str, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the worker before or after the third message reaches the provider."""
    provider_class = SingleMessageProvider
    send = provider_class.send

    def killed_send(self: Any, messages: Any, *, idempotency_key: Any) -> Any:
        if provider.call_count == 2 and where == "before":
            raise Killed
        outcomes = send(self, messages, idempotency_key=idempotency_key)
        if provider.call_count == 3 and where == "after":
            raise Killed
        return outcomes

    monkeypatch.setattr(provider_class, "send", killed_send)


@pytest.mark.parametrize("where", ["before", "after"])
def test_readers_of_a_killed_worker_get_one_message_at_most(
    where: str, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(6)])
    with monkeypatch.context() as patched:
        kill_in(where, provider, patched)
        with pytest.raises(Killed):
            handover.deliver(edition, clock=clock)

    recovered = handover.recover_abandoned_batches(now=after_lease())
    handover.deliver(edition, clock=after_lease)

    assert recovered == {"released": 3, State.UNKNOWN: 1}
    assert states(edition) == {State.HANDED_OVER: 5, State.UNKNOWN: 1}
    assert max(Counter(provider.recipients).values()) == 1
    assert receipt.for_edition(edition).balances


def test_a_batch_within_its_lease_is_not_recovered(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(4)])
    with monkeypatch.context() as patched:
        kill_in("before", provider, patched)
        with pytest.raises(Killed):
            handover.deliver(edition, clock=clock)

    assert handover.recover_abandoned_batches(now=NOW + timedelta(seconds=30)) == {}
    assert states(edition)[State.CLAIMED] == 2


def test_a_message_in_the_mailbox_is_evidence_that_a_killed_worker_sent_it(
    mailbox_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])
    send = FileProvider.send

    def killed_after_sending(self: Any, messages: Any, *, idempotency_key: Any) -> Any:
        send(self, messages, idempotency_key=idempotency_key)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(FileProvider, "send", killed_after_sending)
        with pytest.raises(Killed):
            handover.deliver(edition, clock=clock)

    recovered = handover.recover_abandoned_batches(now=after_lease())

    assert recovered == {"released": 2, State.HANDED_OVER: 1}


def test_a_worker_that_outlives_its_lease_sends_no_further_message(provider: FakeProvider) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])

    def recover_meanwhile(message: dict[str, Any]) -> Response | None:
        if provider.call_count == 1:
            handover.recover_abandoned_batches(now=after_lease())
        return None

    provider.before_accept = recover_meanwhile
    handover.hand_over(claimed(edition), rendering.Renderer(edition), clock=clock, counts=Counter())

    # The response to its first message arrived after the recovery, and still counts.
    assert states(edition) == {State.HANDED_OVER: 1, State.PENDING: 2}
    assert provider.call_count == 1


def test_a_provider_event_is_evidence_that_a_killed_worker_sent_a_message(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])
    with monkeypatch.context() as patched:
        kill_in("after", provider, patched)
        with pytest.raises(Killed):
            handover.deliver(edition, clock=clock)
    edition.deliveries.filter(state=State.CLAIMED).update(event=Delivery.Event.DELIVERED)

    recovered = handover.recover_abandoned_batches(now=after_lease())

    assert recovered[State.HANDED_OVER] == 1
    assert states(edition) == {State.HANDED_OVER: 3}


def test_an_operator_decides_about_unknown_deliveries(provider: FakeProvider) -> None:
    edition = edition_with(factories.subscriber(), factories.subscriber())
    provider.before_accept = refuse_with(500)
    handover.deliver(edition, clock=clock)
    handover.deliver(edition, clock=lambda: NOW + timedelta(hours=1))
    assert states(edition) == {State.UNKNOWN: 2}
    first, second = edition.deliveries.order_by("pk")

    handover.count_as_sent(Delivery.objects.filter(pk=first.pk), now=NOW)
    handover.send_again(Delivery.objects.filter(pk=second.pk))

    assert states(edition) == {State.HANDED_OVER: 1, State.PENDING: 1}


@pytest.mark.parametrize("state", sorted(set(State) - {State.UNKNOWN}))
def test_an_operator_cannot_change_a_delivery_in_another_state(state: str) -> None:
    edition = factories.edition()
    batch = factories.batch(edition=edition)
    fields = {} if state == State.PENDING else {"batch": batch, "attempted_at": NOW}
    reason = Delivery.CancellationReason.LEFT if state == State.CANCELLED else ""
    row = factories.delivery(
        edition=edition, subscriber=factories.subscriber(), state=state, reason=reason, **fields
    )

    assert handover.count_as_sent(Delivery.objects.all(), now=NOW) == 0
    assert handover.send_again(Delivery.objects.all()) == 0
    row.refresh_from_db()
    assert row.state == state


@pytest.mark.usefixtures("mailbox_dir")
@pytest.mark.parametrize("readers", [1, 3])
def test_handing_over_costs_five_queries_a_delivery(
    readers: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(readers)])
    batch, renderer = claimed(edition), rendering.Renderer(edition)

    # Each delivery: slot, BEGIN, attempted, COMMIT, outcome; the batch: entries, topics, release,
    # finished.
    with django_assert_num_queries(5 * readers + 4):
        handover.hand_over(batch, renderer, clock=clock, counts=Counter())


def test_delivering_inside_a_transaction_is_an_error() -> None:
    """The provider must not be called in a transaction: nothing would be committed before."""
    edition = edition_with(factories.subscriber())
    with transaction.atomic(), pytest.raises(RuntimeError):
        handover.deliver(edition, clock=clock)
