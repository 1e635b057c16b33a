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

from newsletter.delivery import handover, pacing
from newsletter.digest import rendering
from newsletter.editions import receipt
from newsletter.models import Batch, Delivery, Edition
from subscribers import suppression
from subscribers.models import Preferences, Subscriber, Suppression
from tests import factories
from tests.newsletter.conftest import FakeProvider, refuse_with

# Claims must be committed before the provider is called, so nothing here may run in a transaction.
pytestmark = pytest.mark.django_db(transaction=True)

State = Delivery.State
NOW = factories.NOW


def clock() -> datetime:
    return NOW


def after_the_lease() -> datetime:
    return NOW + handover.BATCH_LEASE


def edition_with(*readers: Subscriber) -> Edition:
    """An edition of two papers about robotics, and a delivery of it for each reader."""
    edition = factories.edition(papers=[factories.paper(topics=["robotics"]) for _ in range(2)])
    for reader in readers:
        factories.delivery(edition=edition, subscriber=reader)
    return edition


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


def test_what_was_handed_over_keeps_the_provider_s_id(provider: FakeProvider) -> None:
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
    seen: list[tuple[str, bool, bool]] = []

    def look(message: dict[str, Any]) -> Response | None:
        row = edition.deliveries.get()
        seen.append((row.state, row.batch_id is not None, row.attempted_at is not None))
        return None

    provider.before_accept = look
    handover.deliver(edition, clock=clock)

    assert seen == [(State.CLAIMED, True, True)]


def test_two_workers_claim_different_deliveries(provider: FakeProvider) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])
    renderer = rendering.Renderer(edition)
    counts: Counter[str] = Counter()

    first = handover.claim(edition, renderer, now=NOW, counts=counts)
    second = handover.claim(edition, renderer, now=NOW, counts=counts)

    assert first is not None
    assert len(first.deliveries) == 3
    assert second is None


def test_a_reader_who_left_is_not_written_to(provider: FakeProvider) -> None:
    reader = factories.subscriber()
    edition = edition_with(reader)
    Subscriber.objects.update(
        status=Subscriber.Status.LEFT, left_at=NOW, left_reason=Subscriber.LeftReason.UNSUBSCRIBED
    )

    handover.deliver(edition, clock=clock)

    row = edition.deliveries.get()
    assert (row.state, row.reason) == (State.CANCELLED, Delivery.CancellationReason.LEFT)
    assert provider.call_count == 0


def test_a_reader_who_was_erased_is_not_written_to_and_still_counted(
    provider: FakeProvider,
) -> None:
    reader = factories.subscriber()
    edition = edition_with(reader)
    reader.delete()

    handover.deliver(edition, clock=clock)

    assert (states(edition), provider.call_count) == ({State.CANCELLED: 1}, 0)
    assert receipt.for_edition(edition).balances


def test_a_suppressed_address_is_not_written_to(provider: FakeProvider) -> None:
    reader = factories.subscriber(email="ada@example.org")
    edition = edition_with(reader)
    Suppression.objects.create(
        address_hash=suppression.address_hash("ada@example.org"),
        reason=Suppression.Reason.BOUNCED,
    )

    handover.deliver(edition, clock=clock)

    assert (states(edition), provider.call_count) == ({State.SUPPRESSED: 1}, 0)


@pytest.mark.parametrize(
    ("preferences", "reason"),
    [
        ({"minimum": 3}, Delivery.CancellationReason.TOO_FEW),
        ({"paused_until": factories.TODAY + timedelta(days=1)}, Delivery.CancellationReason.PAUSED),
        ({"minimum": 2, "paused_until": factories.TODAY}, ""),
    ],
    ids=["too few", "paused", "neither"],
)
def test_who_asks_for_more_or_has_paused_is_not_sent_a_digest(
    provider: FakeProvider, preferences: dict[str, Any], reason: str
) -> None:
    edition = edition_with(factories.subscriber(preferences=preferences))

    handover.deliver(edition, clock=clock)

    row = edition.deliveries.get()
    state = State.CANCELLED if reason else State.HANDED_OVER
    assert (row.state, row.reason) == (state, reason)


def test_a_digest_without_a_matching_paper_is_not_sent_and_that_is_recorded(
    provider: FakeProvider,
) -> None:
    edition = edition_with(factories.subscriber(topics=["speech"]))

    handover.deliver(edition, clock=clock)

    row = edition.deliveries.get()
    assert (row.state, row.reason) == (State.CANCELLED, Delivery.CancellationReason.NO_MATCH)
    assert provider.call_count == 0


def test_what_waited_too_long_expires(provider: FakeProvider) -> None:
    edition = edition_with(factories.subscriber())

    handover.deliver(edition, clock=lambda: NOW + timedelta(hours=12))

    assert (states(edition), provider.call_count) == ({State.EXPIRED: 1}, 0)


@pytest.mark.parametrize(
    "words",
    [
        "Found inactive addresses: gone@example.org. Inactive recipients are ones that …",
        "Words that nobody foresaw.",
    ],
)
def test_a_refused_recipient_is_failed_and_the_others_get_theirs(
    words: str, provider: FakeProvider
) -> None:
    edition = edition_with(
        factories.subscriber(email="gone@example.org"),
        factories.subscriber(email="ben@example.org"),
    )
    no_such_user = refuse_with(422, code=406, error_message=words)
    provider.before_accept = lambda message: (
        no_such_user(message) if message["To"] == "gone@example.org" else None
    )

    handover.deliver(edition, clock=clock)

    assert states(edition) == {State.FAILED: 1, State.HANDED_OVER: 1}
    assert provider.recipients == ["ben@example.org"]


def test_an_address_that_cannot_be_written_to_is_failed_and_the_others_get_theirs(
    provider: FakeProvider,
) -> None:
    odd, ben = factories.subscriber(email="a@b.example, c@d.example"), factories.subscriber()
    edition = edition_with(odd, ben)

    handover.deliver(edition, clock=clock)

    assert edition.deliveries.get(subscriber=odd).state == State.FAILED
    assert provider.recipients == [ben.email]


def test_a_digest_that_cannot_be_written_does_not_keep_the_others_waiting(
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
    assert f"delivery {row.pk}: cannot be rendered" in caplog.text


def test_when_the_provider_says_later_nobody_is_lost_and_it_is_left_alone(
    provider: FakeProvider,
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])
    provider.before_accept = refuse_with(429, Retry_After="120")

    counts = handover.deliver(edition, clock=clock)
    again = handover.deliver(edition, clock=clock)

    assert states(edition) == {State.PENDING: 3}
    assert provider.call_count == 1
    assert (counts["paused"], again["paused"]) == (1, 1)
    assert pacing.paused_until(now=NOW) == NOW + timedelta(seconds=120)


def test_after_the_pause_everybody_gets_their_mail(provider: FakeProvider) -> None:
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
def test_one_that_is_always_refused_does_not_keep_the_others_waiting(
    status: int, provider: FakeProvider
) -> None:
    edition = edition_with(factories.subscriber(email="odd@example.org"), factories.subscriber())
    no = refuse_with(status)
    provider.before_accept = lambda message: (
        no(message) if message["To"] == "odd@example.org" else None
    )

    for minute in range(3):
        moment = NOW + timedelta(minutes=minute, seconds=minute)
        handover.deliver(edition, clock=lambda: moment)  # noqa: B023 -- called at once

    assert states(edition) == {State.PENDING: 1, State.HANDED_OVER: 1}


def test_an_active_reader_without_preferences_does_not_keep_the_others_waiting(
    provider: FakeProvider,
) -> None:
    odd, ben = factories.subscriber(), factories.subscriber()
    edition = edition_with(odd, ben)
    Preferences.objects.get(subscriber=odd).delete()

    handover.deliver(edition, clock=clock)

    assert provider.recipients == [ben.email]


def test_a_message_that_the_provider_cannot_read_is_tried_ever_more_slowly(
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


def test_without_an_answer_the_outcome_is_unknown_and_never_sent_again(
    provider: FakeProvider,
) -> None:
    edition = edition_with(factories.subscriber(), factories.subscriber())

    def never(message: dict[str, Any]) -> Response | None:
        time.sleep(1.5)
        return None

    provider.before_accept = never
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


def test_an_unreachable_provider_loses_nothing(settings: Any) -> None:
    settings.EMAIL_PROVIDER = "postmark"
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": "http://127.0.0.1:9/",
    }
    edition = edition_with(factories.subscriber(), factories.subscriber())

    handover.deliver(edition, clock=clock)

    assert states(edition) == {State.PENDING: 2}


def test_a_batch_stops_in_time_and_gives_back_the_rest(
    provider: FakeProvider, settings: Any
) -> None:
    settings.SEND_RATE = 0.01  # one message every 100 seconds
    edition = edition_with(*[factories.subscriber() for _ in range(3)])

    handover.deliver(edition, clock=clock, until=NOW + timedelta(seconds=1))

    assert states(edition) == {State.HANDED_OVER: 1, State.PENDING: 2}


class Killed(BaseException):
    """As SIGKILL ends a worker: nothing that follows is run."""


def kill_in(where: str, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker die before, or after, the third message reached the provider."""
    plain = handover.providers.SingleMessageProvider
    send = plain.send

    def dies(self: Any, messages: Any, *, idempotency_key: Any) -> Any:
        if provider.call_count == 2 and where == "before":
            raise Killed
        outcomes = send(self, messages, idempotency_key=idempotency_key)
        if provider.call_count == 3 and where == "after":
            raise Killed
        return outcomes

    monkeypatch.setattr(plain, "send", dies)


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_killed_worker_s_readers_get_one_message_at_most(
    where: str, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(6)])
    with monkeypatch.context() as patched:
        kill_in(where, provider, patched)
        with pytest.raises(Killed):
            handover.deliver(edition, clock=clock)

    settled = handover.recover_abandoned_batches(now=after_the_lease())
    handover.deliver(edition, clock=after_the_lease)

    assert settled == {"released": 3, State.UNKNOWN: 1}
    assert states(edition) == {State.HANDED_OVER: 5, State.UNKNOWN: 1}
    assert max(Counter(provider.recipients).values()) == 1
    assert receipt.for_edition(edition).balances


def test_a_lease_that_has_not_run_out_is_left_alone(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(4)])
    with monkeypatch.context() as patched:
        kill_in("before", provider, patched)
        with pytest.raises(Killed):
            handover.deliver(edition, clock=clock)

    assert handover.recover_abandoned_batches(now=NOW + timedelta(seconds=30)) == {}
    assert states(edition)[State.CLAIMED] == 2


def test_a_mailbox_can_tell_what_a_killed_worker_had_sent(
    mailbox_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])
    write = handover.providers.FileProvider.send

    def dies_after_writing(self: Any, messages: Any, *, idempotency_key: Any) -> Any:
        write(self, messages, idempotency_key=idempotency_key)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(handover.providers.FileProvider, "send", dies_after_writing)
        with pytest.raises(Killed):
            handover.deliver(edition, clock=clock)

    settled = handover.recover_abandoned_batches(now=after_the_lease())

    assert settled == {"released": 2, State.HANDED_OVER: 1}


def test_a_worker_that_outlives_its_lease_sends_nothing_more(provider: FakeProvider) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])

    def the_lease_runs_out(message: dict[str, Any]) -> Response | None:
        if provider.call_count == 1:
            handover.recover_abandoned_batches(now=after_the_lease())
        return None

    provider.before_accept = the_lease_runs_out
    claimed = handover.claim(edition, rendering.Renderer(edition), now=NOW, counts=Counter())
    assert claimed is not None
    handover.hand_over(claimed, rendering.Renderer(edition), clock=clock, counts=Counter())

    # The answer to its one message came late, and still counts.
    assert states(edition) == {State.HANDED_OVER: 1, State.PENDING: 2}
    assert provider.call_count == 1


def test_an_event_is_evidence_for_what_a_killed_worker_had_sent(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_with(*[factories.subscriber() for _ in range(3)])
    with monkeypatch.context() as patched:
        kill_in("after", provider, patched)
        with pytest.raises(Killed):
            handover.deliver(edition, clock=clock)
    edition.deliveries.filter(state=State.CLAIMED).update(event=Delivery.Event.DELIVERED)

    settled = handover.recover_abandoned_batches(now=after_the_lease())

    assert settled[State.HANDED_OVER] == 1
    assert states(edition) == {State.HANDED_OVER: 3}


def test_an_operator_decides_about_the_unknown(provider: FakeProvider) -> None:
    edition = edition_with(factories.subscriber(), factories.subscriber())
    provider.before_accept = refuse_with(500)
    handover.deliver(edition, clock=clock)
    handover.deliver(edition, clock=lambda: NOW + timedelta(hours=1))
    assert states(edition) == {State.UNKNOWN: 2}
    first, second = edition.deliveries.order_by("pk")

    handover.count_as_sent(Delivery.objects.filter(pk=first.pk), now=NOW)
    handover.send_again(Delivery.objects.filter(pk=second.pk))

    assert states(edition) == {State.HANDED_OVER: 1, State.PENDING: 1}


@pytest.mark.parametrize("state", set(State) - {State.UNKNOWN})
def test_what_is_not_unknown_is_not_the_operator_s_to_decide(state: str) -> None:
    edition = factories.edition()
    batch = factories.batch(edition=edition)
    touched = {} if state == State.PENDING else {"batch": batch, "attempted_at": NOW}
    reason = Delivery.CancellationReason.LEFT if state == State.CANCELLED else ""
    row = factories.delivery(
        edition=edition, subscriber=factories.subscriber(), state=state, reason=reason, **touched
    )

    assert handover.count_as_sent(Delivery.objects.all(), now=NOW) == 0
    assert handover.send_again(Delivery.objects.all()) == 0
    row.refresh_from_db()
    assert row.state == state


@pytest.mark.parametrize("readers", [1, 3])
def test_claiming_costs_the_same_queries_for_any_number(
    readers: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    chosen = [
        factories.subscriber(
            topics=["robotics"],
            attitudes={f"topic-{n}": "mute" for n in range(readers)},
            follows=[("author", f"noether {n}", "Noether") for n in range(readers)],
        )
        for _ in range(readers)
    ]
    edition = edition_with(*chosen)
    for reader in chosen:
        factories.vote(reader, edition.entries.get(rank=1).paper)
    renderer = rendering.Renderer(edition)

    # begin, waiting, readers, topics, follows, votes, suppressed, entries, batch, claimed, commit
    with django_assert_num_queries(11):
        handover.claim(edition, renderer, now=NOW, counts=Counter())


def test_a_claim_cannot_be_made_inside_another_transaction_unnoticed() -> None:
    """The provider must never be called in a transaction: nothing would be committed."""
    edition = edition_with(factories.subscriber())
    with transaction.atomic(), pytest.raises(RuntimeError):
        handover.deliver(edition, clock=clock)
