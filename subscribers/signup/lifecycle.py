"""The life cycle of a subscription: request, confirm, leave, rejoin.

Guarantee: nobody becomes active without pressing the button in a mail to that address, and no
response reveals whether an address is subscribed. Only this module writes `Subscriber.status`,
`left_at` and `left_reason` (imports by an operator apart). Every function is safe to repeat.

A suppressed address may sign up again: its owner gets at most one confirmation mail a day, and
pressing the button in it lifts the suppression. Nothing else lifts one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import Case, When

from papers.models import Topic
from subscribers import suppression
from subscribers.addresses import normalise_address
from subscribers.models import Preferences, Subscriber
from subscribers.preferences import choices
from subscribers.signup import confirmations, consent
from subscribers.signup.consent import ConsentContext

Status, LeftReason = Subscriber.Status, Subscriber.LeftReason

# How long a reader who left can undo it without a new confirmation.
REJOIN_WINDOW = timedelta(days=1)
# A graver reason for leaving replaces a lighter one, because events arrive in any order.
REASONS_BY_SEVERITY = [
    LeftReason.UNREACHABLE,
    LeftReason.UNSUBSCRIBED,
    LeftReason.BOUNCED,
    LeftReason.COMPLAINED,
]


@transaction.atomic
def request_confirmation(
    email: str,
    topics: Iterable[str],
    timezone: str,
    now: datetime,
    *,
    consent_context: ConsentContext = ConsentContext(),  # noqa: B008 (frozen)
) -> Subscriber:
    """Record a signup request and queue the confirmation mail; return the subscriber.

    The preferences of an active subscriber do not change: a stranger may have typed the address.
    Without a time zone, keep the known one.
    """
    subscriber = get_or_create_locked(email)
    if subscriber.status == Status.LEFT:
        reset_to_pending(subscriber)
    if subscriber.status == Status.PENDING:
        apply_form_choices(subscriber, topics, timezone=timezone)
        consent.record_request(subscriber, consent_context, now=now)
    confirmations.enqueue_request(subscriber, now=now)
    return subscriber


@transaction.atomic
def resend_link(subscriber: Subscriber, now: datetime) -> bool:
    """Queue a fresh link for the holder of an expired one, within the same limits.

    Return whether a mail was queued.
    """
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    return row.status != Status.LEFT and confirmations.enqueue_request(row, now=now)


def get_or_create_locked(email: str) -> Subscriber:
    """Return the row of an address, created if new, locked until the transaction ends."""
    subscriber, _ = Subscriber.objects.get_or_create(email=normalise_address(email))
    Preferences.objects.get_or_create(subscriber=subscriber)
    return Subscriber.objects.select_for_update().get(pk=subscriber.pk)


def reset_to_pending(subscriber: Subscriber) -> None:
    subscriber.status, subscriber.left_at, subscriber.left_reason = Status.PENDING, None, ""
    subscriber.save(update_fields=["status", "left_at", "left_reason"])


def apply_form_choices(subscriber: Subscriber, topics: Iterable[str], *, timezone: str) -> None:
    """Store what the newest form says; it may change until it is confirmed."""
    preferences = Preferences.objects.get(subscriber=subscriber)
    if timezone:
        preferences.timezone = timezone
        preferences.save(update_fields=["timezone"])
    choices.follow_topics(preferences, Topic.objects.filter(slug__in=list(topics)))


@transaction.atomic
def confirm(subscriber: Subscriber, now: datetime) -> None:
    """Activate a pending subscriber and lift a suppression; do nothing if not pending."""
    unchanged = Subscriber.objects.filter(
        pk=subscriber.pk,
        status=Status.PENDING,
        confirmation_nonce=subscriber.confirmation_nonce,
    )
    if unchanged.update(
        status=Status.ACTIVE,
        confirmed_at=now,
        confirmation_nonce=uuid4(),  # the link works once
        confirmation_requested_at=None,
        confirmation_count=0,
    ):
        consent.record_confirmation(subscriber, now=now)
        suppression.remove_suppression(subscriber.email)
        subscriber.reschedule_digest(now)
    subscriber.refresh_from_db()


def leave(subscriber: Subscriber, reason: Subscriber.LeftReason, now: datetime) -> None:
    """Unsubscribe; a repeat changes nothing, except to a graver reason."""
    row = Subscriber.objects.filter(pk=subscriber.pk)
    left = row.exclude(status=Status.LEFT).update(
        status=Status.LEFT,
        left_at=now,
        left_reason=reason,
        next_digest_at=None,
        confirmation_requested_at=None,
        confirmation_nonce=uuid4(),  # invalidates a confirmation link that is on its way
        # Somebody who declines before confirming gets no further mail for a day.
        confirmation_count=Case(
            When(status=Status.PENDING, then=confirmations.MAX_BURST), default=0
        ),
    )
    if not left:
        lighter = REASONS_BY_SEVERITY[: REASONS_BY_SEVERITY.index(reason)]
        row.filter(left_reason__in=lighter).update(left_reason=reason)
    subscriber.refresh_from_db()


def can_rejoin(subscriber: Subscriber, now: datetime) -> bool:
    """Return whether they unsubscribed by themselves within REJOIN_WINDOW."""
    return (
        subscriber.status == Status.LEFT
        and subscriber.left_reason == LeftReason.UNSUBSCRIBED
        and subscriber.confirmed_at is not None
        and subscriber.left_at is not None
        and subscriber.left_at > now - REJOIN_WINDOW
        and not suppression.is_suppressed(subscriber.email)
    )


@transaction.atomic
def rejoin(subscriber: Subscriber, now: datetime) -> bool:
    """Undo leaving; return whether the subscriber is active now.

    False means that a new confirmation is needed. An active subscriber does not change.
    """
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if can_rejoin(row, now):
        row.rejoined_at = now
        row.save(update_fields=["rejoined_at"])
        reactivate(row, now)
    subscriber.refresh_from_db()
    return subscriber.is_mailable


def reactivate(subscriber: Subscriber, now: datetime) -> None:
    """Restore a subscriber who left; the row must be locked."""
    subscriber.status, subscriber.left_at, subscriber.left_reason = Status.ACTIVE, None, ""
    subscriber.save(update_fields=["status", "left_at", "left_reason"])
    subscriber.reschedule_digest(now)
