"""The life of a subscription: request, confirm, leave, rejoin.

Guarantee: nobody becomes active without proof that they read mail at the address, and no visitor
learns whether an address is subscribed. Each function changes the row either under a lock or by
one UPDATE that is conditional on what was read, so it is safe to repeat, to run concurrently and to
call in any order. A crash leaves the previous state.

Only this module changes `Subscriber.status`, `confirmed_at`, `left_at` and `left_reason`, except
for an operator's import (subscribers/transfer) and the purge (subscribers/signup/unconfirmed.py).

A suppressed address may request a confirmation, at most once a day. Confirming removes the
suppression, because only its owner can open the link. Nothing else here removes one.
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

# Within this time a reader can undo leaving with one button, without a new confirmation.
REJOIN_WINDOW = timedelta(days=1)
# Mildest first. A more severe reason replaces a milder one, because events arrive in any order.
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
    """Record a sign-up request and queue its confirmation mail.

    Raise InvalidAddressError for an invalid address. Change nothing that an active reader chose: a
    stranger may have typed their address. An empty time zone keeps the stored one.
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
    """Queue a new link for the owner of an expired one, within the same limits.

    Return False if they have left or are over the limit.
    """
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    return row.status != Status.LEFT and confirmations.enqueue_request(row, now=now)


def get_or_create_locked(email: str) -> Subscriber:
    """Return the address's row, created if missing and locked until the transaction ends."""
    subscriber, _ = Subscriber.objects.get_or_create(email=normalise_address(email))
    Preferences.objects.get_or_create(subscriber=subscriber)
    return Subscriber.objects.select_for_update().get(pk=subscriber.pk)


def reset_to_pending(subscriber: Subscriber) -> None:
    subscriber.status, subscriber.left_at, subscriber.left_reason = Status.PENDING, None, ""
    subscriber.save(update_fields=["status", "left_at", "left_reason"])


def apply_form_choices(subscriber: Subscriber, topics: Iterable[str], *, timezone: str) -> None:
    """Store the choices of the latest form; call it for unconfirmed subscribers only."""
    preferences = Preferences.objects.get(subscriber=subscriber)
    if timezone:
        preferences.timezone = timezone
        preferences.save(update_fields=["timezone"])
    choices.follow_topics(preferences, Topic.objects.filter(slug__in=list(topics)))


@transaction.atomic
def confirm(subscriber: Subscriber, now: datetime) -> None:
    """Make a pending subscriber active, remove their suppression and schedule the first digest.

    Change nothing if they are no longer pending or their link was replaced since it was read.
    """
    unchanged = Subscriber.objects.filter(
        pk=subscriber.pk,
        status=Status.PENDING,
        confirmation_nonce=subscriber.confirmation_nonce,
    )
    if unchanged.update(
        status=Status.ACTIVE,
        confirmed_at=now,
        confirmation_nonce=uuid4(),  # Invalidate the link.
        confirmation_requested_at=None,
        confirmation_count=0,
    ):
        consent.record_confirmation(subscriber, now=now)
        suppression.remove_suppression(subscriber.email)
        subscriber.reschedule_digest(now)
    subscriber.refresh_from_db()


def leave(subscriber: Subscriber, reason: Subscriber.LeftReason, now: datetime) -> None:
    """End a subscription at once; nothing is sent from now on.

    Repeating it only replaces a milder reason.
    """
    row = Subscriber.objects.filter(pk=subscriber.pk)
    left = row.exclude(status=Status.LEFT).update(
        status=Status.LEFT,
        left_at=now,
        left_reason=reason,
        next_digest_at=None,
        confirmation_requested_at=None,
        confirmation_nonce=uuid4(),  # Invalidate confirmation links that were already mailed.
        # Whoever declines before confirming gets no further confirmation mail for a day.
        confirmation_count=Case(
            When(status=Status.PENDING, then=confirmations.MAX_BURST), default=0
        ),
    )
    if not left:
        milder = REASONS_BY_SEVERITY[: REASONS_BY_SEVERITY.index(reason)]
        row.filter(left_reason__in=milder).update(left_reason=reason)
    subscriber.refresh_from_db()


def can_rejoin(subscriber: Subscriber, now: datetime) -> bool:
    """Return whether a confirmed reader unsubscribed within REJOIN_WINDOW."""
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
    """Undo leaving; return False if rejoining needs a new confirmation.

    Change nothing for a subscriber who is already active.
    """
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if can_rejoin(row, now):
        row.rejoined_at = now
        row.save(update_fields=["rejoined_at"])
        reactivate(row, now)
    subscriber.refresh_from_db()
    return subscriber.is_mailable


def reactivate(subscriber: Subscriber, now: datetime) -> None:
    """Restore the state before leaving; the row must be locked."""
    subscriber.status, subscriber.left_at, subscriber.left_reason = Status.ACTIVE, None, ""
    subscriber.save(update_fields=["status", "left_at", "left_reason"])
    subscriber.reschedule_digest(now)
