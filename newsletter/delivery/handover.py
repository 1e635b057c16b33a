"""Send an edition's deliveries to the provider.

Guarantee: no reader is sent an edition twice, and no delivery is lost. A delivery is claimed into a
batch, then marked as attempted, then settled; each step is committed before the next, and the
provider is never called inside a transaction.

Only this module writes `Delivery.state` from `claimed` on, `batch`, `attempted_at`, `attempts`,
`retry_at` and `settled_at`; newsletter/editions opens deliveries as `pending`, and provider events
(newsletter/events/receivers.py) correct `unknown`.

A worker that dies after claiming leaves deliveries without `attempted_at`: they go to another batch.
One that dies after marking leaves deliveries that may have been sent: they become `unknown`, unless
there is evidence, and are never sent again by themselves.

Cost: three updates and one provider call per group of messages; claiming a batch of 50 takes a
constant number of queries.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, QuerySet

from newsletter.delivery import pacing, providers
from newsletter.delivery.providers import Provider
from newsletter.digest import interests, rendering
from newsletter.digest.selection import Candidate, Interests
from newsletter.models import Batch, Delivery, Edition
from subscribers import suppression
from subscribers.mail import message as mail_message
from subscribers.mail import outcomes
from subscribers.mail.outcomes import Outcome, OutcomeKind
from subscribers.models import Subscriber

logger = logging.getLogger(__name__)

State, Reason = Delivery.State, Delivery.CancellationReason
Clock = Callable[[], datetime]

# Deliveries in a batch, and how long a worker may spend on one.
BATCH_SIZE = 50
BATCH_TIME_LIMIT = timedelta(seconds=25)
# An unfinished batch that is older was abandoned: the time limit, one slow call, and a margin.
BATCH_LEASE = timedelta(seconds=60)
# A worker waits no longer than this for a send slot: the next tick starts it again.
MAX_SLOT_WAIT = timedelta(seconds=5)
MIN_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A claimed delivery with what its digest is rendered from."""

    delivery: Delivery
    subscriber: Subscriber
    interests: Interests
    papers: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    batch: Batch
    deliveries: tuple[ClaimedDelivery, ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """Why a pending delivery is not sent: its final state and the reason."""

    state: Delivery.State
    reason: str = ""


def deliver(
    edition: Edition,
    *,
    clock: Clock,
    until: datetime | None = None,
    progress: Callable[[int], None] = lambda settled: None,
) -> Counter[str]:
    """Claim and hand over batches until no delivery is left, or until `until`.

    Return how many deliveries ended in each state. Stop early while the provider is paused. Call
    `progress` with the number handled so far.
    """
    counts: Counter[str] = Counter()
    renderer = rendering.Renderer(edition)
    providers.get_provider()  # a provider that is not set up must raise before a claim
    while until is None or clock() < until:
        paused = pacing.paused_until(now=clock())
        if paused and paused > clock() + MAX_SLOT_WAIT:
            logger.warning("edition %s: sending is paused until %s", edition, paused)
            counts["paused"] += 1
            break
        claimed = claim(edition, renderer, now=clock(), counts=counts)
        if claimed is None:
            break
        if claimed.deliveries:
            hand_over(claimed, renderer, clock=clock, counts=counts)
        progress(counts.total())
    return counts


@transaction.atomic(durable=True)
def claim(
    edition: Edition, renderer: rendering.Renderer, *, now: datetime, counts: Counter[str]
) -> ClaimedBatch | None:
    """Claim the next deliveries into a batch, and settle those that have nothing to send.

    Return None when no delivery is pending. Rows that another worker has locked are skipped.
    """
    pending = list(
        Delivery.objects.claimable(now=now)
        .filter(edition=edition)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")[:BATCH_SIZE]
    )
    if not pending:
        return None
    batch = Batch(edition=edition, provider=settings.EMAIL_PROVIDER, claimed_at=now)
    sendable = []
    for delivery, decision in decide_all(pending, renderer, now=now):
        if isinstance(decision, ClaimedDelivery):
            sendable.append(decision)
        else:
            settle_unsent(delivery, decision, now=now)
            counts[decision.state] += 1
    if sendable:
        batch.save(force_insert=True)
        claimed = Delivery.objects.filter(pk__in=[member.delivery.pk for member in sendable])
        claimed.update(state=State.CLAIMED, batch=batch)
    return ClaimedBatch(batch, tuple(sendable))


def decide_all(
    pending: Sequence[Delivery], renderer: rendering.Renderer, *, now: datetime
) -> list[tuple[Delivery, ClaimedDelivery | Settlement]]:
    """Decide for each delivery what to send or why not, without changing anything."""
    subscriber_ids = [delivery.subscriber_id for delivery in pending if delivery.subscriber_id]
    readers = (
        Subscriber.objects.mailable()
        .filter(preferences__isnull=False)
        .select_related("preferences")
        .in_bulk(subscriber_ids)
    )
    interests_by_reader = interests.interests_by_subscriber(readers.values())
    suppressed = suppression.suppressed_emails([reader.email for reader in readers.values()])

    def decide(delivery: Delivery) -> ClaimedDelivery | Settlement:
        reader = readers.get(delivery.subscriber_id or 0)
        if settlement := reason_not_to_send(delivery, reader, suppressed, now=now):
            return settlement
        assert reader  # else it has been settled as one who left
        wanted = interests_by_reader[reader.pk]
        selection = renderer.choose_for(wanted, after=delivery.after)
        if selection.papers:
            return ClaimedDelivery(delivery, reader, wanted, selection.papers)
        too_few = bool(selection.eligible_count)
        return Settlement(State.CANCELLED, Reason.TOO_FEW if too_few else Reason.NO_MATCH)

    return [(delivery, decide(delivery)) for delivery in pending]


def reason_not_to_send(
    delivery: Delivery,
    reader: Subscriber | None,
    suppressed: AbstractSet[str],
    *,
    now: datetime,
) -> Settlement | None:
    """Return why a delivery must not be sent, whatever the edition holds; else None."""
    if delivery.expires_at <= now:
        return Settlement(State.EXPIRED)
    if reader is None:
        return Settlement(State.CANCELLED, Reason.LEFT)
    if reader.email in suppressed:
        return Settlement(State.SUPPRESSED)
    if reader.preferences.is_paused(now):
        return Settlement(State.CANCELLED, Reason.PAUSED)
    return None


def settle_unsent(delivery: Delivery, settlement: Settlement, *, now: datetime) -> None:
    Delivery.objects.filter(pk=delivery.pk, state=State.PENDING).update(
        state=settlement.state, reason=settlement.reason, settled_at=now
    )


def hand_over(
    claimed_batch: ClaimedBatch, renderer: rendering.Renderer, *, clock: Clock, counts: Counter[str]
) -> None:
    """Hand a batch to the provider, group by group, and record each outcome as it comes."""
    deadline = claimed_batch.batch.claimed_at + BATCH_TIME_LIMIT
    waiting = iter(claimed_batch.deliveries)
    with providers.get_provider() as provider:
        while group := list(islice(waiting, provider.messages_per_call)):
            if not wait_for_send_slot(len(group), clock=clock, deadline=deadline):
                break
            if pause := hand_over_group(
                group, claimed_batch.batch, provider, renderer, clock=clock, counts=counts
            ):
                pacing.pause(until=clock() + pause)
                break
    release_unattempted(claimed_batch.batch)
    Batch.objects.filter(pk=claimed_batch.batch.pk).update(finished_at=clock())


def wait_for_send_slot(message_count: int, *, clock: Clock, deadline: datetime) -> bool:
    """Sleep until the send slot; return False if it is after the batch's deadline."""
    start = pacing.reserve_send_slot(now=clock(), message_count=message_count)
    now = clock()
    if max(start, now) > deadline:
        return False
    time.sleep(max((start - now).total_seconds(), 0))
    return True


def hand_over_group(
    group: Sequence[ClaimedDelivery],
    batch: Batch,
    provider: Provider,
    renderer: rendering.Renderer,
    *,
    clock: Clock,
    counts: Counter[str],
) -> timedelta | None:
    """Make one call to the provider; return for how long to pause, if it asks for a pause."""
    messages = []
    for member in group:
        rendered = render_message(member, renderer)
        if isinstance(rendered, Outcome):
            counts[record_outcome(member.delivery, batch, rendered, now=clock())] += 1
        else:
            messages.append((member.delivery, rendered))
    deliveries = [delivery for delivery, _ in messages]
    if not deliveries or not mark_attempted(deliveries, batch, now=clock()):
        return None  # all settled, or the lease ran out and another worker has taken them
    results = provider.send([message for _, message in messages], idempotency_key=batch.id)
    for (delivery, _), outcome in zip(messages, results, strict=True):
        counts[record_outcome(delivery, batch, outcome, now=clock())] += 1
    return max((outcome.pause for outcome in results if outcome.pause), default=None)


def render_message(
    claimed_delivery: ClaimedDelivery, renderer: rendering.Renderer
) -> EmailMultiAlternatives | Outcome:
    """Return the message, or the outcome if it cannot be sent or rendered."""
    try:
        return renderer.message(
            claimed_delivery.delivery,
            claimed_delivery.subscriber,
            claimed_delivery.interests,
            claimed_delivery.papers,
        )
    except mail_message.CannotSendError as refusal:
        return outcomes.failed(refusal)
    except Exception as error:
        # An error of one reader's digest must not stop the readers after them.
        logger.exception("delivery %s: cannot be rendered", claimed_delivery.delivery.pk)
        return outcomes.refused(error)


@transaction.atomic(durable=True)
def mark_attempted(group: Sequence[Delivery], batch: Batch, *, now: datetime) -> bool:
    """Mark the whole group as attempted, or none of it if the batch has lost any delivery.

    This is the fence: after it, a delivery may have been sent. Return whether it was set.
    """
    claimed = Delivery.objects.filter(
        pk__in=[delivery.pk for delivery in group],
        batch=batch,
        state=State.CLAIMED,
        attempted_at__isnull=True,
    )
    is_complete = claimed.update(attempted_at=now) == len(group)
    transaction.set_rollback(not is_complete)
    return is_complete


def record_outcome(delivery: Delivery, batch: Batch, outcome: Outcome, *, now: datetime) -> str:
    """Settle an attempted delivery by its outcome, and return its state or "requeued".

    A late answer still counts: it settles a delivery that was taken to be unknown.
    """
    attempted = Delivery.objects.filter(
        pk=delivery.pk, batch=batch, state__in=[State.CLAIMED, State.UNKNOWN]
    )
    match outcome.kind:
        case OutcomeKind.HANDED_OVER:
            state = State.HANDED_OVER
        case OutcomeKind.FAILED:
            state = State.FAILED
        case OutcomeKind.UNKNOWN:
            state = State.UNKNOWN
        case OutcomeKind.UNSENT | OutcomeKind.REFUSED:
            requeue(attempted, delivery, outcome, now=now)
            return "requeued"
    # Until the provider assigns an id of its own, the Message-ID header identifies the message.
    message_id = {"message_id": outcome.message_id} if outcome.message_id else {}
    attempted.update(state=state, settled_at=now, error=outcome.error, **message_id)
    if outcome.error:
        logger.warning("delivery %s: %s: %s", delivery.pk, state, outcome.error)
    return state


def requeue(
    attempted: QuerySet[Delivery], delivery: Delivery, outcome: Outcome, *, now: datetime
) -> None:
    """Requeue a delivery that was certainly not sent, with exponential backoff until it expires.

    Do not retry right when the provider's pause ends: a delivery that fails for its own reasons
    would then block the queue.
    """
    backoff = min(MIN_RETRY_DELAY * 2 ** min(delivery.attempts, 10), MAX_RETRY_DELAY)
    delay = backoff + (outcome.pause or timedelta())
    attempted.update(
        state=State.PENDING,
        batch=None,
        attempted_at=None,
        settled_at=None,
        attempts=F("attempts") + 1,
        retry_at=now + delay,
        error=outcome.error,
    )
    logger.warning("delivery %s: requeued in %s: %s", delivery.pk, delay, outcome.error)


def release_unattempted(batch: Batch) -> int:
    """Return what the batch claimed and did not attempt to the queue."""
    unattempted = batch.deliveries.filter(state=State.CLAIMED, attempted_at__isnull=True)
    return unattempted.update(state=State.PENDING, batch=None)


def recover_abandoned_batches(*, now: datetime) -> Counter[str]:
    """Finish the batches of dead workers: settle by evidence, else as unknown.

    Safe to repeat: a batch that is finished is not selected again.
    """
    counts: Counter[str] = Counter()
    abandoned = Batch.objects.filter(finished_at__isnull=True, claimed_at__lte=now - BATCH_LEASE)
    for batch in abandoned.order_by("claimed_at"):
        counts["released"] += release_unattempted(batch)
        for delivery in batch.deliveries.filter(state=State.CLAIMED).select_related("edition"):
            counts[record_outcome(delivery, batch, outcome_from_evidence(delivery), now=now)] += 1
        Batch.objects.filter(pk=batch.pk).update(finished_at=now)
        logger.warning("batch %s: abandoned by its worker, recovered", batch.pk)
    return counts


def outcome_from_evidence(delivery: Delivery) -> Outcome:
    """Return the outcome of a delivery whose worker died between attempting and settling it."""
    if delivery.event:
        return Outcome(kind=OutcomeKind.HANDED_OVER)
    match providers.was_sent(rendering.message_id(delivery.edition, delivery.pk)):
        case True:
            return Outcome(kind=OutcomeKind.HANDED_OVER)
        case False:
            return Outcome(kind=OutcomeKind.UNSENT, error="The worker died before sending it.")
        case None:
            return Outcome(kind=OutcomeKind.UNKNOWN, error="The worker died while sending it.")


def count_as_sent(deliveries: QuerySet[Delivery], *, now: datetime) -> int:
    """Settle unknown deliveries as sent, on the operator's evidence; return how many."""
    return deliveries.filter(state=State.UNKNOWN).update(
        state=State.HANDED_OVER, settled_at=now, error=""
    )


def send_again(deliveries: QuerySet[Delivery]) -> int:
    """Queue unknown deliveries again, accepting that some may arrive twice; return how many."""
    return deliveries.filter(state=State.UNKNOWN).update(
        state=State.PENDING, batch=None, attempted_at=None, settled_at=None, retry_at=None
    )
