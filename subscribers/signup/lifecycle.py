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
from subscribers.addresses import BadAddress, normalise
from subscribers.models import Preferences, Subscriber
from subscribers.preferences import choices
from subscribers.signup import confirmations, consent
from subscribers.signup.consent import Given

__all__ = ["BadAddress", "ask", "confirm", "leave", "may_rejoin", "normalise", "rejoin", "remind"]

Status, Reason = Subscriber.Status, Subscriber.LeftReason

# How long who left may come back by pressing a button, without a new confirmation.
REGRET = timedelta(days=1)
# A graver reason to have left replaces a lighter one: events come in any order.
GRAVITY = [Reason.UNREACHABLE, Reason.UNSUBSCRIBED, Reason.BOUNCED, Reason.COMPLAINED]


@transaction.atomic
def ask(
    email: str,
    topics: Iterable[str],
    timezone: str,
    now: datetime,
    *,
    given: Given = Given(),  # noqa: B008 (frozen)
) -> Subscriber:
    """Somebody left this address on a page: have it asked whether it was them.

    Who is subscribed already keeps what they chose: a stranger may have typed their address.
    Without a time zone the one that is known stays.
    """
    subscriber = locked(email)
    if subscriber.status == Status.LEFT:
        await_confirmation(subscriber)
    if subscriber.status == Status.PENDING:
        choose(subscriber, topics, timezone=timezone)
        consent.note(subscriber, given, now=now)
    confirmations.request(subscriber, now=now)
    return subscriber


@transaction.atomic
def remind(subscriber: Subscriber, now: datetime) -> bool:
    """They hold a link that is too old: have a new one sent, within the same budget."""
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    return row.status != Status.LEFT and confirmations.request(row, now=now)


def locked(email: str) -> Subscriber:
    """The row of an address, new or not, and ours until the transaction ends."""
    subscriber, _ = Subscriber.objects.get_or_create(email=normalise(email))
    Preferences.objects.get_or_create(subscriber=subscriber)
    return Subscriber.objects.select_for_update().get(pk=subscriber.pk)


def await_confirmation(subscriber: Subscriber) -> None:
    subscriber.status, subscriber.left_at, subscriber.left_reason = Status.PENDING, None, ""
    subscriber.save(update_fields=["status", "left_at", "left_reason"])


def choose(subscriber: Subscriber, topics: Iterable[str], *, timezone: str) -> None:
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
        consent.complete(subscriber, now=now)
        suppression.lift(subscriber.email)
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
        confirmation_count=Case(When(status=Status.PENDING, then=confirmations.BURST), default=0),
    )
    if not left:
        lighter = GRAVITY[: GRAVITY.index(reason)]
        row.filter(left_reason__in=lighter).update(left_reason=reason)
    subscriber.refresh_from_db()


def may_rejoin(subscriber: Subscriber, now: datetime) -> bool:
    """Whether they left of their own accord, and only just."""
    return (
        subscriber.status == Status.LEFT
        and subscriber.left_reason == Reason.UNSUBSCRIBED
        and subscriber.confirmed_at is not None
        and subscriber.left_at is not None
        and subscriber.left_at > now - REGRET
        and not suppression.is_suppressed(subscriber.email)
    )


@transaction.atomic
def rejoin(subscriber: Subscriber, now: datetime) -> bool:
    """Undo leaving; False if that takes a new confirmation. For who is active it changes nothing."""
    row = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if may_rejoin(row, now):
        row.rejoined_at = now
        row.save(update_fields=["rejoined_at"])
        take_back(row, now)
    subscriber.refresh_from_db()
    return subscriber.is_mailable


def take_back(subscriber: Subscriber, now: datetime) -> None:
    """They are as if they had never left; the row must be locked."""
    subscriber.status, subscriber.left_at, subscriber.left_reason = Status.ACTIVE, None, ""
    subscriber.save(update_fields=["status", "left_at", "left_reason"])
    subscriber.reschedule_digest(now)
