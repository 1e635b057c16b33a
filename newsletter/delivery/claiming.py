"""Claim an edition's pending deliveries, and settle those that have no digest to send.

Guarantee: a delivery is claimed by one worker only, and everything that is needed to write its
digest is decided when it is claimed.

- Claiming moves `Delivery.state` from `pending` to `claimed` and sets `batch`. A delivery with
  nothing to send goes from `pending` to `expired`, `cancelled` or `suppressed`, with `reason` and
  `settled_at`. No other module settles a pending delivery after it was opened.
- The pending rows stay locked until the commit. PostgreSQL gives a second worker the next rows
  (SKIP LOCKED); SQLite lets one writer in at a time.
- A crash rolls back the whole batch: its deliveries are still pending.
- Cost: 11 queries for a batch of any size, BEGIN and COMMIT included (the test counts them), and
  one UPDATE for each delivery that is settled here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from newsletter.digest import interests
from newsletter.digest.rendering import Renderer
from newsletter.digest.selection import Candidate, Interests, choose
from newsletter.models import Batch, Delivery, Edition
from subscribers import suppression
from subscribers.models import Subscriber

State, Reason = Delivery.State, Delivery.CancellationReason


@dataclass(frozen=True, slots=True)
class Recipient:
    """An active subscriber with what decides about their digest."""

    subscriber: Subscriber
    interests: Interests
    is_suppressed: bool


@dataclass(frozen=True, slots=True)
class Send:
    """The decision to send these papers to a recipient."""

    recipient: Recipient
    papers: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Settle:
    """The decision not to send a delivery, with the state and reason to record."""

    state: Delivery.State
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A claimed delivery with all that is needed to write its digest."""

    delivery: Delivery
    subscriber: Subscriber
    interests: Interests
    papers: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    """A batch and its deliveries; it is stored only if it has any."""

    batch: Batch
    deliveries: tuple[ClaimedDelivery, ...]


# Durable: inside another transaction the claim would not be committed before the provider is
# called, and a crash could send the same digest twice. Django raises RuntimeError there.
@transaction.atomic(durable=True)
def claim(
    edition: Edition, renderer: Renderer, *, limit: int, now: datetime, counts: Counter[str]
) -> ClaimedBatch | None:
    """Claim up to `limit` pending deliveries and settle those with nothing to send.

    Return the batch, which has no deliveries if all were settled, or None if nothing was pending.
    Add each settled delivery to `counts` under its state.
    """
    pending = lock_pending(edition, limit=limit, now=now)
    if not pending:
        return None
    recipients = load_recipients(pending)
    claimed = []
    for delivery in pending:
        recipient = recipients.get(delivery.subscriber_id or 0)
        match decide(delivery, recipient, renderer.candidates(after=delivery.after), now=now):
            case Send(recipient, papers):
                claimed.append(
                    ClaimedDelivery(delivery, recipient.subscriber, recipient.interests, papers)
                )
            case Settle() as settlement:
                settle_unsent(delivery, settlement, now=now)
                counts[settlement.state] += 1
    batch = Batch(edition=edition, provider=settings.EMAIL_PROVIDER, claimed_at=now)
    if claimed:
        batch.save(force_insert=True)
        ids = [claimed_delivery.delivery.pk for claimed_delivery in claimed]
        Delivery.objects.filter(pk__in=ids).update(state=State.CLAIMED, batch=batch)
    return ClaimedBatch(batch, tuple(claimed))


def lock_pending(edition: Edition, *, limit: int, now: datetime) -> list[Delivery]:
    """Return the oldest deliveries that may be claimed now, locked until the transaction ends."""
    return list(
        Delivery.objects.claimable(now=now)
        .filter(edition=edition)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")[:limit]
    )


def load_recipients(deliveries: Iterable[Delivery]) -> dict[int, Recipient]:
    """Return the recipients who may be mailed, by subscriber id, in five queries."""
    ids = [delivery.subscriber_id for delivery in deliveries if delivery.subscriber_id]
    subscribers = (
        Subscriber.objects.mailable()
        .filter(preferences__isnull=False)
        .select_related("preferences")
        .in_bulk(ids)
    )
    interests_by_id = interests.interests_by_subscriber(subscribers.values())
    suppressed = suppression.suppressed_emails(
        [subscriber.email for subscriber in subscribers.values()]
    )
    return {
        pk: Recipient(subscriber, interests_by_id[pk], subscriber.email in suppressed)
        for pk, subscriber in subscribers.items()
    }


def decide(
    delivery: Delivery,
    recipient: Recipient | None,
    candidates: Sequence[Candidate],
    *,
    now: datetime,
) -> Send | Settle:
    """Return whether to send a pending delivery, and what, or how to settle it (pure).

    `recipient` is None if the reader left, was erased or has no preferences.
    """
    if delivery.expires_at <= now:
        return Settle(State.EXPIRED)
    if recipient is None:
        return Settle(State.CANCELLED, Reason.LEFT)
    if recipient.is_suppressed:
        return Settle(State.SUPPRESSED)
    if recipient.subscriber.preferences.is_paused(now):
        return Settle(State.CANCELLED, Reason.PAUSED)
    selection = choose(candidates, recipient.interests)
    if selection.papers:
        return Send(recipient, selection.papers)
    return Settle(State.CANCELLED, Reason.TOO_FEW if selection.eligible_count else Reason.NO_MATCH)


def settle_unsent(delivery: Delivery, settlement: Settle, *, now: datetime) -> None:
    """Record that a pending delivery is not sent."""
    Delivery.objects.filter(pk=delivery.pk, state=State.PENDING).update(
        state=settlement.state, reason=settlement.reason, settled_at=now
    )
