"""newsletter/delivery/claiming.py"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.delivery import claiming
from newsletter.delivery.claiming import Recipient, Send, Settle
from newsletter.digest.rendering import Renderer
from newsletter.digest.selection import Candidate, Interests
from newsletter.editions import receipt
from newsletter.models import Batch, Delivery, Edition
from subscribers import suppression
from subscribers.models import Preferences, Subscriber, Suppression
from tests import factories

pytestmark = pytest.mark.django_db

State, Reason = Delivery.State, Delivery.CancellationReason
NOW = factories.NOW
TOMORROW = factories.TODAY + timedelta(days=1)
ROBOTS = Candidate(1, frozenset({"robotics"}), 2.0)
VOICES = Candidate(2, frozenset({"speech"}), 1.0)


def recipient(
    *, is_suppressed: bool = False, paused_until: Any = None, **interests: Any
) -> Recipient:
    subscriber = Subscriber()
    Preferences(subscriber=subscriber, paused_until=paused_until)
    return Recipient(subscriber, Interests(length=5, **interests), is_suppressed)


def decide(recipient: Recipient | None, *, now: datetime = NOW) -> Send | Settle:
    delivery = Delivery(expires_at=NOW + timedelta(hours=12))
    return claiming.decide(delivery, recipient, [ROBOTS, VOICES], now=now)


def edition_for(*readers: Subscriber) -> Edition:
    """An edition of two papers about robotics with a pending delivery for each reader."""
    edition = factories.edition(papers=[factories.paper(topics=["robotics"]) for _ in range(2)])
    for reader in readers:
        factories.delivery(edition=edition, subscriber=reader)
    return edition


def claim(
    edition: Edition, *, limit: int = 50, now: datetime = NOW
) -> tuple[claiming.ClaimedBatch | None, Counter[str]]:
    counts: Counter[str] = Counter()
    batch = claiming.claim(edition, Renderer(edition), limit=limit, now=now, counts=counts)
    return batch, counts


def test_matching_papers_are_sent() -> None:
    reader = recipient(topics=frozenset({"speech"}))

    assert decide(reader) == Send(reader, (VOICES,))


@pytest.mark.parametrize(
    ("reader", "settlement"),
    [
        (None, Settle(State.CANCELLED, Reason.LEFT)),
        (recipient(is_suppressed=True), Settle(State.SUPPRESSED)),
        (recipient(paused_until=TOMORROW), Settle(State.CANCELLED, Reason.PAUSED)),
        (recipient(minimum=3), Settle(State.CANCELLED, Reason.TOO_FEW)),
        (recipient(topics=frozenset({"vision"})), Settle(State.CANCELLED, Reason.NO_MATCH)),
        (
            recipient(topics=frozenset({"vision"}), minimum=3),
            Settle(State.CANCELLED, Reason.NO_MATCH),
        ),
    ],
    ids=["left", "suppressed", "paused", "too few", "no match", "no match with a minimum"],
)
def test_a_delivery_without_a_digest_is_settled_with_its_reason(
    reader: Recipient | None, settlement: Settle
) -> None:
    assert decide(reader) == settlement


@pytest.mark.parametrize(
    "reader",
    [recipient(minimum=2), recipient(paused_until=factories.TODAY)],
    ids=["as many papers as the minimum", "a pause that ends today"],
)
def test_a_reader_at_the_limit_is_sent_a_digest(reader: Recipient) -> None:
    assert decide(reader) == Send(reader, (ROBOTS, VOICES))


@pytest.mark.parametrize("reader", [None, recipient(), recipient(is_suppressed=True)])
def test_an_expired_delivery_is_never_sent_and_always_settled_as_expired(
    reader: Recipient | None,
) -> None:
    assert decide(reader, now=NOW + timedelta(hours=12)) == Settle(State.EXPIRED)


def test_a_suppressed_reader_who_has_paused_is_settled_as_suppressed() -> None:
    reader = recipient(is_suppressed=True, paused_until=TOMORROW)

    assert decide(reader) == Settle(State.SUPPRESSED)


def test_claimed_deliveries_belong_to_the_batch() -> None:
    edition = edition_for(factories.subscriber(), factories.subscriber())

    batch, counts = claim(edition)

    assert batch
    assert (len(batch.deliveries), counts) == (2, {})
    assert {(row.state, row.batch) for row in edition.deliveries.all()} == {
        (State.CLAIMED, Batch.objects.get())
    }


def test_a_second_claim_gets_the_deliveries_that_the_first_left() -> None:
    edition = edition_for(*[factories.subscriber() for _ in range(3)])

    batches = [claim(edition, limit=2)[0] for _ in range(3)]

    assert [batch and len(batch.deliveries) for batch in batches] == [2, 1, None]


def test_a_batch_without_anything_to_send_is_not_stored() -> None:
    edition = edition_for(factories.subscriber(topics=["speech"]))

    batch, counts = claim(edition)

    row = edition.deliveries.get()
    assert (row.state, row.reason, row.settled_at) == (State.CANCELLED, Reason.NO_MATCH, NOW)
    assert batch
    assert (batch.deliveries, counts) == ((), {State.CANCELLED: 1})
    assert not Batch.objects.exists()


def test_a_reader_who_left_is_not_sent_a_digest() -> None:
    edition = edition_for(factories.subscriber())
    Subscriber.objects.update(
        status=Subscriber.Status.LEFT, left_at=NOW, left_reason=Subscriber.LeftReason.UNSUBSCRIBED
    )

    claim(edition)

    row = edition.deliveries.get()
    assert (row.state, row.reason) == (State.CANCELLED, Reason.LEFT)


def test_a_reader_who_was_erased_is_not_sent_a_digest_and_still_counted() -> None:
    reader = factories.subscriber()
    edition = edition_for(reader)
    reader.delete()

    _, counts = claim(edition)

    assert counts == {State.CANCELLED: 1}
    assert receipt.for_edition(edition).balances


def test_an_active_reader_without_preferences_does_not_block_the_others() -> None:
    without, reader = factories.subscriber(), factories.subscriber()
    edition = edition_for(without, reader)
    Preferences.objects.get(subscriber=without).delete()

    batch, counts = claim(edition)

    assert batch
    assert [claimed.subscriber for claimed in batch.deliveries] == [reader]
    assert counts == {State.CANCELLED: 1}


def test_a_suppressed_address_is_not_sent_a_digest() -> None:
    edition = edition_for(factories.subscriber(email="ada@example.org"))
    Suppression.objects.create(
        address_hash=suppression.address_hash("ada@example.org"),
        reason=Suppression.Reason.BOUNCED,
    )

    assert claim(edition)[1] == {State.SUPPRESSED: 1}


@pytest.mark.parametrize(
    ("preferences", "reason"),
    [({"minimum": 3}, Reason.TOO_FEW), ({"paused_until": TOMORROW}, Reason.PAUSED)],
    ids=["too few", "paused"],
)
def test_a_reader_s_preferences_are_respected(preferences: dict[str, Any], reason: str) -> None:
    edition = edition_for(factories.subscriber(preferences=preferences))

    claim(edition)

    assert edition.deliveries.get().reason == reason


@pytest.mark.parametrize("readers", [1, 3])
def test_a_claim_costs_the_same_queries_for_any_number(
    readers: int, django_assert_num_queries: Any
) -> None:
    subscribers = [
        factories.subscriber(
            topics=["robotics"],
            attitudes={f"topic-{n}": "mute" for n in range(readers)},
            follows=[("author", f"noether {n}", "Noether") for n in range(readers)],
        )
        for _ in range(readers)
    ]
    edition = edition_for(*subscribers)
    for subscriber in subscribers:
        factories.vote(subscriber, edition.entries.get(rank=1).paper)

    # BEGIN, pending, readers, topics, follows, votes, suppressed, entries, batch, UPDATE, COMMIT
    with django_assert_num_queries(11):
        claim(edition)
