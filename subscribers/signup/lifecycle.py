"""Joining and leaving: ask, confirm, leave, come back; never revealing who is here.

Addresses that were suppressed may ask too: only their owner can press the button in the mail that
they get, once a day at most, and pressing it lifts the suppression. Nothing else lifts one.
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

# How long who left may come back by pressing a button, without a new confirmation.
REJOIN_WINDOW = timedelta(days=1)
# A graver reason to have left replaces a lighter one: events come in any order.
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
    """Somebody left this address on a page: have it asked whether it was them.

    Who is subscribed already keeps what they chose: a stranger may have typed their address.
    Without a time zone the one that is known stays.
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
    """They hold a link that is too old: have a new one sent, within the same budget."""
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    return row.status != Status.LEFT and confirmations.enqueue_request(row, now=now)


def get_or_create_locked(email: str) -> Subscriber:
    """The row of an address, new or not, and ours until the transaction ends."""
    subscriber, _ = Subscriber.objects.get_or_create(email=normalise_address(email))
    Preferences.objects.get_or_create(subscriber=subscriber)
    return Subscriber.objects.select_for_update().get(pk=subscriber.pk)


def reset_to_pending(subscriber: Subscriber) -> None:
    subscriber.status, subscriber.left_at, subscriber.left_reason = Status.PENDING, None, ""
    subscriber.save(update_fields=["status", "left_at", "left_reason"])


def apply_form_choices(subscriber: Subscriber, topics: Iterable[str], *, timezone: str) -> None:
    """What the newest form says, until it is confirmed."""
    preferences = Preferences.objects.get(subscriber=subscriber)
    if timezone:
        preferences.timezone = timezone
        preferences.save(update_fields=["timezone"])
    choices.follow_topics(preferences, Topic.objects.filter(slug__in=list(topics)))


@transaction.atomic
def confirm(subscriber: Subscriber, now: datetime) -> None:
    """The address and the wish are proven. Again, or after they left, it changes nothing."""
    as_read = Subscriber.objects.filter(
        pk=subscriber.pk,
        status=Status.PENDING,
        confirmation_nonce=subscriber.confirmation_nonce,
    )
    if as_read.update(
        status=Status.ACTIVE,
        confirmed_at=now,
        confirmation_nonce=uuid4(),  # the link has done its work
        confirmation_requested_at=None,
        confirmation_count=0,
    ):
        consent.record_confirmation(subscriber, now=now)
        suppression.remove_suppression(subscriber.email)
        subscriber.reschedule_digest(now)
    subscriber.refresh_from_db()


def leave(subscriber: Subscriber, reason: Subscriber.LeftReason, now: datetime) -> None:
    """Nothing is sent to them from now on. Again, it changes nothing but to a graver reason."""
    row = Subscriber.objects.filter(pk=subscriber.pk)
    left = row.exclude(status=Status.LEFT).update(
        status=Status.LEFT,
        left_at=now,
        left_reason=reason,
        next_digest_at=None,
        confirmation_requested_at=None,
        confirmation_nonce=uuid4(),  # a link to confirm that is under way works no more
        # Who says no before they ever said yes has had all our mails for a day.
        confirmation_count=Case(
            When(status=Status.PENDING, then=confirmations.MAX_BURST), default=0
        ),
    )
    if not left:
        lighter = REASONS_BY_SEVERITY[: REASONS_BY_SEVERITY.index(reason)]
        row.filter(left_reason__in=lighter).update(left_reason=reason)
    subscriber.refresh_from_db()


def can_rejoin(subscriber: Subscriber, now: datetime) -> bool:
    """Whether they left of their own accord, and only just."""
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
    """Undo leaving; False if that takes a new confirmation. For who is active it changes nothing."""
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if can_rejoin(row, now):
        row.rejoined_at = now
        row.save(update_fields=["rejoined_at"])
        reactivate(row, now)
    subscriber.refresh_from_db()
    return subscriber.is_mailable


def reactivate(subscriber: Subscriber, now: datetime) -> None:
    """They are as if they had never left; the row must be locked."""
    subscriber.status, subscriber.left_at, subscriber.left_reason = Status.ACTIVE, None, ""
    subscriber.save(update_fields=["status", "left_at", "left_reason"])
    subscriber.reschedule_digest(now)
