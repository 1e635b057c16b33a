"""Send an edition's deliveries: claim a batch, hand it to the provider, record each outcome.

Guarantee: no reader is sent an edition twice, unless an operator asks for it, and no delivery is
lost.

Each fact is committed before the next step begins: a delivery is *claimed* into a batch before its
message is written, marked as *attempted* before the provider is called, and *settled* from the
provider's response. Each of these steps locks its rows or is one conditional UPDATE, so it is safe
to run them twice, also at once. Do not call `deliver` inside a transaction: nothing would be
committed before the provider is called. `claim` and `mark_attempted` raise RuntimeError there.

Who writes what, in `Delivery`:
- newsletter/delivery/schedule.py inserts the row;
- newsletter/delivery/claiming.py takes `state` from `pending` to `claimed`, or settles unsent;
- this module alone writes `attempted_at`, `attempts` and `retry_at`, and takes `state` on from
  `claimed`: to `handed_over`, `failed`, `unknown`, or back to `pending`. It also sets `settled_at`,
  `message_id` and `error`;
- newsletter/events/receivers.py writes `event`, and corrects `state` and `error` when the provider
  reports later that it did, or did not, send the message.

What a crash leaves behind, until `recover_abandoned_batches` finds the batch after BATCH_LEASE:
- claimed, not attempted: certainly not sent. The delivery becomes pending again.
- attempted, not settled: perhaps sent. A provider's event, or its answer where it can be asked,
  decides; without either, the delivery becomes `unknown` and is never sent again automatically.
- settled: nothing to recover.

Cost: 11 queries to claim a batch of up to BATCH_SIZE. Then five for each delivery (the tests count
them): the send slot, BEGIN, attempted, COMMIT, settled; with a SEND_RATE, the slot's row is locked
and updated too. A batch ends with two more UPDATEs.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, QuerySet

from newsletter.delivery import pacing, providers
from newsletter.delivery.claiming import ClaimedBatch, ClaimedDelivery, claim
from newsletter.delivery.providers import Provider
from newsletter.digest import rendering
from newsletter.models import Batch, Delivery, Edition
from subscribers.mail import message as mail_message
from subscribers.mail import outcomes
from subscribers.mail.outcomes import Outcome, OutcomeKind

logger = logging.getLogger(__name__)

State = Delivery.State
Clock = Callable[[], datetime]

# Deliveries in a batch, and how long a worker may spend on handing one batch over.
BATCH_SIZE = 50
BATCH_TIME_LIMIT = timedelta(seconds=25)
# The worker of an unfinished batch this old is dead. Keep it longer than BATCH_TIME_LIMIT and one
# slow call together: a shorter lease would take deliveries from a worker that is still sending.
BATCH_LEASE = timedelta(seconds=60)
# A worker stops if the provider is paused for longer than this; a later tick starts another.
MAX_SLOT_WAIT = timedelta(seconds=5)
MIN_RETRY_DELAY, MAX_RETRY_DELAY = timedelta(minutes=1), timedelta(hours=1)


def deliver(
    edition: Edition,
    *,
    clock: Clock,
    until: datetime | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Counter[str]:
    """Claim and hand over batches until nothing is pending, or until the time `until`.

    Return the number of deliveries by outcome; `paused` is 1 if it stopped early because sending
    is paused. After each batch `progress` is called with the number of deliveries done so far.
    """
    counts: Counter[str] = Counter()
    renderer = rendering.Renderer(edition)
    # A provider that is not set up must raise before anything is claimed.
    providers.get_provider()
    while until is None or clock() < until:
        paused_until = pacing.paused_until(now=clock())
        if paused_until and paused_until > clock() + MAX_SLOT_WAIT:
            logger.warning("edition %s: sending is paused until %s", edition, paused_until)
            counts["paused"] += 1
            break
        batch = claim(edition, renderer, limit=BATCH_SIZE, now=clock(), counts=counts)
        if batch is None:
            break
        if batch.deliveries:
            hand_over(batch, renderer, clock=clock, counts=counts)
        progress(counts.total())
    return counts


def hand_over(
    claimed_batch: ClaimedBatch, renderer: rendering.Renderer, *, clock: Clock, counts: Counter[str]
) -> None:
    """Send a claimed batch in groups, as large as one call to the provider takes.

    Stop when the batch's time is over or the provider asks for a pause, and release the rest: they
    are pending again.
    """
    deadline = claimed_batch.batch.claimed_at + BATCH_TIME_LIMIT
    remaining = iter(claimed_batch.deliveries)
    with providers.get_provider() as provider:
        while group := list(islice(remaining, provider.messages_per_call)):
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
    """Reserve a send slot and sleep until it starts; return False if that is after the deadline."""
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
    """Send a group in one call and record each outcome.

    Return how long to pause sending, or None. Messages are written before anything is marked as
    attempted: a crash while writing must not leave a delivery in doubt.
    """
    messages = []
    for claimed in group:
        message = render_message(claimed, renderer)
        if isinstance(message, Outcome):
            counts[record_outcome(claimed.delivery, batch, message, now=clock())] += 1
        else:
            messages.append((claimed.delivery, message))
    deliveries = [delivery for delivery, _ in messages]
    if not messages or not mark_attempted(deliveries, batch, now=clock()):
        return None  # all recorded above, or the batch has lost them
    results = provider.send([message for _, message in messages], idempotency_key=batch.id)
    for delivery, outcome in zip(deliveries, results, strict=True):
        counts[record_outcome(delivery, batch, outcome, now=clock())] += 1
    return max((outcome.pause for outcome in results if outcome.pause), default=None)


def render_message(
    claimed: ClaimedDelivery, renderer: rendering.Renderer
) -> EmailMultiAlternatives | Outcome:
    """Return a delivery's message, or the outcome to record if it cannot be written."""
    try:
        return renderer.message(
            claimed.delivery, claimed.subscriber, claimed.interests, claimed.papers
        )
    except mail_message.CannotSendError as error:
        return outcomes.failed(error)
    except Exception as error:
        # Do not raise: one reader's digest would stop the mail of all behind it in the queue.
        logger.exception("delivery %s: could not be rendered", claimed.delivery.pk)
        return outcomes.refused(error)


# Durable: a mark that is not committed before the provider is called protects nothing.
@transaction.atomic(durable=True)
def mark_attempted(group: Sequence[Delivery], batch: Batch, *, now: datetime) -> bool:
    """Mark a whole group as attempted; return False, and mark none, if the batch has lost one.

    A batch loses its deliveries when its lease runs out, and another worker may be sending them: do
    not call the provider after False.
    """
    ours = Delivery.objects.filter(
        pk__in=[delivery.pk for delivery in group],
        batch=batch,
        state=State.CLAIMED,
        attempted_at__isnull=True,
    )
    complete = ours.update(attempted_at=now) == len(group)
    transaction.set_rollback(not complete)
    return complete


def record_outcome(delivery: Delivery, batch: Batch, outcome: Outcome, *, now: datetime) -> str:
    """Record the outcome of a delivery; return its new state, or "requeued".

    A response that arrives after the lease ran out still counts, so `unknown` is accepted too. A
    delivery that has moved on, to another batch or by a provider's event, is left unchanged.
    """
    ours = Delivery.objects.filter(
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
            requeue(ours, delivery, outcome, now=now)
            return "requeued"
    # Without a provider's id the column stays as it is: our own Message-ID can be computed again.
    message_id = {"message_id": outcome.message_id} if outcome.message_id else {}
    ours.update(state=state, settled_at=now, error=outcome.error, **message_id)
    if outcome.error:
        logger.warning("delivery %s: %s: %s", delivery.pk, state, outcome.error)
    return state


def requeue(
    deliveries: QuerySet[Delivery], delivery: Delivery, outcome: Outcome, *, now: datetime
) -> None:
    """Requeue a delivery that was certainly not sent, with exponential backoff until it expires.

    `deliveries` selects the row, and nothing if it has moved on. Never call this for a message that
    may have been sent.

    Do not retry right when the provider's pause ends: a delivery that fails for its own reasons
    would be first in the queue again, and block the others.
    """
    backoff = min(MIN_RETRY_DELAY * 2 ** min(delivery.attempts, 10), MAX_RETRY_DELAY)
    wait = backoff + (outcome.pause or timedelta())
    deliveries.update(
        state=State.PENDING,
        batch=None,
        attempted_at=None,
        settled_at=None,
        attempts=F("attempts") + 1,
        retry_at=now + wait,
        error=outcome.error,
    )
    minutes = math.ceil(wait / timedelta(minutes=1))
    logger.warning("delivery %s: requeued in %d min: %s", delivery.pk, minutes, outcome.error)


def release_unattempted(batch: Batch) -> int:
    """Requeue a batch's unattempted deliveries; return how many there were.

    There is no backoff, because nothing failed.
    """
    unattempted = batch.deliveries.filter(state=State.CLAIMED, attempted_at__isnull=True)
    return unattempted.update(state=State.PENDING, batch=None)


def recover_abandoned_batches(*, now: datetime) -> Counter[str]:
    """Finish the batches of workers that died; return the number of deliveries by outcome.

    Safe to run twice at once: each row changes by one conditional update, and evidence does not
    depend on who looks at it.
    """
    counts: Counter[str] = Counter()
    abandoned = Batch.objects.filter(finished_at__isnull=True, claimed_at__lte=now - BATCH_LEASE)
    for batch in abandoned.order_by("claimed_at"):
        counts["released"] += release_unattempted(batch)
        for delivery in batch.deliveries.filter(state=State.CLAIMED).select_related("edition"):
            counts[record_outcome(delivery, batch, outcome_from_evidence(delivery), now=now)] += 1
        Batch.objects.filter(pk=batch.pk).update(finished_at=now)
        logger.warning("batch %s: recovered from a worker that did not finish it", batch.pk)
    return counts


def outcome_from_evidence(delivery: Delivery) -> Outcome:
    """Return the outcome of a delivery whose worker died after marking it as attempted.

    Without evidence it is unknown. Do not guess `unsent`: the reader could get the digest twice.
    """
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
    """Settle unknown deliveries as handed over: an operator has evidence that they arrived.

    Return how many were changed; deliveries in any other state are not.
    """
    return deliveries.filter(state=State.UNKNOWN).update(
        state=State.HANDED_OVER, settled_at=now, error=""
    )


def send_again(deliveries: QuerySet[Delivery]) -> int:
    """Let unknown deliveries be sent again: an operator prefers a digest twice to none at all.

    Return how many were changed; deliveries in any other state are not.
    """
    return deliveries.filter(state=State.UNKNOWN).update(
        state=State.PENDING, batch=None, attempted_at=None, settled_at=None, retry_at=None
    )
