"""Getting an edition to its readers, at most once each: claim, hand over, settle.

Every fact is committed before the next step: a delivery is claimed into a batch before it is
rendered, marked as attempted before the provider is called, and settled from the answer. So a
worker may die anywhere: what it had not attempted goes to another, and only what it was just
attempting is unknown until there is evidence.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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

State = Delivery.State
Clock = Callable[[], datetime]

# Deliveries in a batch, and how long a worker may go on handing over one.
BATCH_SIZE = 50
BATCH_TIME_LIMIT = timedelta(seconds=25)
# A batch that is older is a dead worker's: its time, one slow call, and a margin.
BATCH_LEASE = timedelta(seconds=60)
# Longer than this nobody waits for a turn: the next tick will ring again.
MAX_SLOT_WAIT = timedelta(seconds=5)
MIN_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A claimed delivery with all that is needed to write its digest."""

    delivery: Delivery
    subscriber: Subscriber
    interests: Interests
    papers: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    batch: Batch
    deliveries: tuple[ClaimedDelivery, ...]


def deliver(
    edition: Edition,
    *,
    clock: Clock,
    until: datetime | None = None,
    progress: Callable[[int], None] = lambda settled: None,
) -> Counter[str]:
    """Claim and hand over batch after batch until none is left, or until then.

    Counts what became of them. Stops early while the provider wants to be left alone; `progress`
    is told how many have been dealt with so far.
    """
    counts: Counter[str] = Counter()
    renderer = rendering.Renderer(edition)
    providers.get_provider()  # one that cannot be set up is an error before anything is claimed
    while until is None or clock() < until:
        paused = pacing.paused_until(now=clock())
        if paused and paused > clock() + MAX_SLOT_WAIT:
            logger.warning("edition %s: the provider is left alone until %s", edition, paused)
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
    """Take the next deliveries into a batch, settling those with nothing to send; None if none."""
    waiting = list(
        Delivery.objects.claimable(now=now)
        .filter(edition=edition)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")[:BATCH_SIZE]
    )
    if not waiting:
        return None
    batch = Batch(edition=edition, provider=settings.EMAIL_PROVIDER, claimed_at=now)
    members = tuple(select_sendable(waiting, renderer, now=now, counts=counts))
    if members:
        batch.save(force_insert=True)
        mine = Delivery.objects.filter(pk__in=[member.delivery.pk for member in members])
        mine.update(state=State.CLAIMED, batch=batch)
    return ClaimedBatch(batch, members)


def select_sendable(
    pending: Sequence[Delivery],
    renderer: rendering.Renderer,
    *,
    now: datetime,
    counts: Counter[str],
) -> Iterator[ClaimedDelivery]:
    """The deliveries that there is a digest for; the others are settled with their reason."""
    ids = [each.subscriber_id for each in pending if each.subscriber_id]
    readers = (
        Subscriber.objects.mailable()
        .filter(preferences__isnull=False)
        .select_related("preferences")
        .in_bulk(ids)
    )
    wishes = interests.interests_by_subscriber(readers.values())
    shunned = suppression.suppressed_emails([reader.email for reader in readers.values()])
    for each in pending:
        reader = readers.get(each.subscriber_id or 0)
        if each.expires_at <= now:
            settle_unsent(each, State.EXPIRED, now=now, counts=counts)
        elif reader is None:
            settle_unsent(
                each,
                State.CANCELLED,
                now=now,
                counts=counts,
                reason=Delivery.CancellationReason.LEFT,
            )
        elif reader.email in shunned:
            settle_unsent(each, State.SUPPRESSED, now=now, counts=counts)
        elif reader.preferences.is_paused(now):
            settle_unsent(
                each,
                State.CANCELLED,
                now=now,
                counts=counts,
                reason=Delivery.CancellationReason.PAUSED,
            )
        elif not (choice := renderer.choose_for(wishes[reader.pk], after=each.after)).papers:
            reason = (
                Delivery.CancellationReason.TOO_FEW
                if choice.eligible_count
                else Delivery.CancellationReason.NO_MATCH
            )
            settle_unsent(each, State.CANCELLED, now=now, counts=counts, reason=reason)
        else:
            yield ClaimedDelivery(each, reader, wishes[reader.pk], choice.papers)


def settle_unsent(
    delivery: Delivery,
    state: Delivery.State,
    *,
    now: datetime,
    counts: Counter[str],
    reason: str = "",
) -> None:
    """Settle a delivery that is not sent."""
    Delivery.objects.filter(pk=delivery.pk, state=State.PENDING).update(
        state=state, reason=reason, settled_at=now
    )
    counts[state] += 1


def hand_over(
    claimed_batch: ClaimedBatch, renderer: rendering.Renderer, *, clock: Clock, counts: Counter[str]
) -> None:
    """Hand a batch to the provider, group by group, and note each outcome as it comes."""
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
    """Sleep until these messages may leave; False if that is later than the batch may last."""
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
    """One call to the provider; returns how long it wants to be left alone, if it does."""
    messages = []
    for member in group:
        written = render_message(member, renderer)
        if isinstance(written, Outcome):
            counts[record_outcome(member.delivery, batch, written, now=clock())] += 1
        else:
            messages.append((member.delivery, written))
    if not messages or not mark_attempted([each for each, _ in messages], batch, now=clock()):
        return None  # with an outcome already, or somebody else's since the lease ran out
    results = provider.send([message for _, message in messages], idempotency_key=batch.id)
    for (delivery, _), outcome in zip(messages, results, strict=True):
        counts[record_outcome(delivery, batch, outcome, now=clock())] += 1
    return max((outcome.pause for outcome in results if outcome.pause), default=None)


def render_message(
    claimed_delivery: ClaimedDelivery, renderer: rendering.Renderer
) -> EmailMultiAlternatives | Outcome:
    """The member's message or, where there can be none, what that means."""
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
        # One reader's trouble must not keep the mail of everybody behind them.
        logger.exception("delivery %s: not written", claimed_delivery.delivery.pk)
        return outcomes.refused(error)


@transaction.atomic(durable=True)
def mark_attempted(group: Sequence[Delivery], batch: Batch, *, now: datetime) -> bool:
    """Mark the group as attempted; False unless, to the last one, it is still this batch's."""
    mine = Delivery.objects.filter(
        pk__in=[delivery.pk for delivery in group],
        batch=batch,
        state=State.CLAIMED,
        attempted_at__isnull=True,
    )
    whole = mine.update(attempted_at=now) == len(group)
    transaction.set_rollback(not whole)
    return whole


def record_outcome(delivery: Delivery, batch: Batch, outcome: Outcome, *, now: datetime) -> str:
    """Note what became of an attempted delivery; an answer that comes late still counts."""
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
            return "put_back"
    # The message's own id is known before; a provider's id replaces it.
    message_id = {"message_id": outcome.message_id} if outcome.message_id else {}
    attempted.update(state=state, settled_at=now, error=outcome.error, **message_id)
    if outcome.error:
        logger.warning("delivery %s: %s: %s", delivery.pk, state, outcome.error)
    return state


def requeue(
    attempted: QuerySet[Delivery], delivery: Delivery, outcome: Outcome, *, now: datetime
) -> None:
    """It surely did not leave: again later, ever more slowly, until it expires.

    Never just when the provider's pause ends: first in line again, it would keep the others waiting
    if the trouble is its own.
    """
    patience = min(MIN_RETRY_DELAY * 2 ** min(delivery.attempts, 10), MAX_RETRY_DELAY)
    wait = patience + (outcome.pause or timedelta())
    attempted.update(
        state=State.PENDING,
        batch=None,
        attempted_at=None,
        settled_at=None,
        attempts=F("attempts") + 1,
        retry_at=now + wait,
        error=outcome.error,
    )
    logger.warning("delivery %s: put back: %s", delivery.pk, outcome.error)


def release_unattempted(batch: Batch) -> int:
    """Give back what the batch claimed and did not attempt."""
    unattempted = batch.deliveries.filter(state=State.CLAIMED, attempted_at__isnull=True)
    return unattempted.update(state=State.PENDING, batch=None)


def recover_abandoned_batches(*, now: datetime) -> Counter[str]:
    """Finish the batches of workers that died, by evidence; what has none is unknown."""
    counts: Counter[str] = Counter()
    dead = Batch.objects.filter(finished_at__isnull=True, claimed_at__lte=now - BATCH_LEASE)
    for batch in dead.order_by("claimed_at"):
        counts["released"] += release_unattempted(batch)
        for delivery in batch.deliveries.filter(state=State.CLAIMED).select_related("edition"):
            counts[record_outcome(delivery, batch, outcome_from_evidence(delivery), now=now)] += 1
        Batch.objects.filter(pk=batch.pk).update(finished_at=now)
        logger.warning("batch %s: settled for a worker that did not finish it", batch.pk)
    return counts


def outcome_from_evidence(delivery: Delivery) -> Outcome:
    """What became of a delivery whose worker died while it was handing it over."""
    if delivery.event:
        return Outcome(kind=OutcomeKind.HANDED_OVER)
    match providers.was_sent(rendering.message_id(delivery.edition, delivery.pk)):
        case True:
            return Outcome(kind=OutcomeKind.HANDED_OVER)
        case False:
            return Outcome(kind=OutcomeKind.UNSENT, error="The worker died before it was sent.")
        case None:
            return Outcome(
                kind=OutcomeKind.UNKNOWN, error="The worker died while it was being sent."
            )


def count_as_sent(deliveries: QuerySet[Delivery], *, now: datetime) -> int:
    """An operator has seen evidence that these unknown ones arrived."""
    return deliveries.filter(state=State.UNKNOWN).update(
        state=State.HANDED_OVER, settled_at=now, error=""
    )


def send_again(deliveries: QuerySet[Delivery]) -> int:
    """An operator would rather have these unknown ones arrive twice than not at all."""
    return deliveries.filter(state=State.UNKNOWN).update(
        state=State.PENDING, batch=None, attempted_at=None, settled_at=None, retry_at=None
    )
