"""Answering who asked to join: one email per request, never two, and few to any one address.

The subscriber's row is the queue: a request waits in it until one conditional UPDATE claims it,
and only who claimed it sends. What surely did not leave goes back to wait; what may have left is
not sent again, for the person can simply ask once more.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailError
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from papers.web import ratelimit
from subscribers import suppression
from subscribers.mail import links, outcomes
from subscribers.mail import message as mail_message
from subscribers.mail.outcomes import OutcomeKind
from subscribers.models import Subscriber, SubscriberQuerySet

logger = logging.getLogger(__name__)

# The budget of an address, whoever asks: this many emails with so much time between them, then
# none for a day. One that must not be written to has that day between any two.
MAX_BURST = 3
MIN_INTERVAL = timedelta(minutes=10)
COOLDOWN = timedelta(days=1)
# To one mailbox under all its names: ada+1@, ada+2@.
PER_MAILBOX_LIMIT = "5/day"
# Providers that do not see dots before the @.
DOT_INSENSITIVE_DOMAINS = {"gmail.com", "googlemail.com"}
# An answer later than this helps nobody.
MAX_REQUEST_AGE = timedelta(days=1)


def enqueue_request(subscriber: Subscriber, *, now: datetime) -> bool:
    """Note that they are to be written to, if the budget allows; the row must be locked."""
    if subscriber.confirmation_requested_at is None:
        if subscriber.confirmation_sent_at and now - subscriber.confirmation_sent_at >= COOLDOWN:
            subscriber.confirmation_count = 0
        if not within_address_limit(subscriber, now=now):
            logger.info("subscriber %s: asked again too soon", subscriber.pk)
            return False
        subscriber.confirmation_count += 1
    subscriber.confirmation_requested_at = now
    subscriber.save(update_fields=["confirmation_requested_at", "confirmation_count"])
    return True


def within_address_limit(subscriber: Subscriber, *, now: datetime) -> bool:
    sent_at, count = subscriber.confirmation_sent_at, subscriber.confirmation_count
    if sent_at is None or count == 0:
        return True
    spent = count >= MAX_BURST or suppression.is_suppressed(subscriber.email)
    return now - sent_at >= (COOLDOWN if spent else MIN_INTERVAL)


def due_subscriber_ids(*, now: datetime, limit: int) -> list[int]:
    """Who waits for an answer, the longest first."""
    in_order = subscribers_awaiting_mail(now=now).order_by("confirmation_requested_at", "pk")
    return list(in_order.values_list("pk", flat=True)[:limit])


def subscribers_awaiting_mail(*, now: datetime) -> SubscriberQuerySet:
    return Subscriber.objects.awaiting_confirmation_mail().filter(
        confirmation_requested_at__gt=now - MAX_REQUEST_AGE
    )


def send(subscriber_id: int, *, now: datetime) -> bool:
    """Answer a request that waits; False if none does any more, or the answer did not leave."""
    subscriber = subscribers_awaiting_mail(now=now).filter(pk=subscriber_id).first()
    if subscriber is None:
        return False
    try:
        message = build_reply(subscriber)
    except mail_message.CannotSendError as refusal:
        logger.error("%s", refusal)
        claim_request(subscriber, now=now)  # it will not become possible by waiting
        return False
    if (
        not within_hourly_limit()
        or not claim_request(subscriber, now=now)
        or not within_mailbox_limit(subscriber)
    ):
        return False
    try:
        message.send()
    except (OSError, AnymailError, AnymailConfigurationError) as error:
        handle_failure(subscriber, error, now=now)
        return False
    return True


def within_hourly_limit() -> bool:
    """Count an answer; False when this hour has had all of its own, and the others have to wait."""
    rate = f"{settings.CONFIRMATIONS_PER_HOUR}/hour"
    verdict = ratelimit.hit(rate, "confirmations", on_failure="refuse")
    if verdict.allowed and verdict.remaining == 0:
        logger.error(
            "That was the last of %s confirmation mails for %s minutes: see docs/joining.md.",
            verdict.limit,
            verdict.reset_after_seconds // 60,
        )
    return verdict.allowed


def within_mailbox_limit(subscriber: Subscriber) -> bool:
    """Count a mail to a mailbox; what it has no room for is dropped."""
    allowed = ratelimit.hit(
        PER_MAILBOX_LIMIT, "mailbox", canonical_mailbox(subscriber.email)
    ).allowed
    if not allowed:
        logger.info("subscriber %s: the mailbox has had its share for a day", subscriber.pk)
    return allowed


def canonical_mailbox(email: str) -> str:
    """The mailbox behind an address, for counting only: what stands after a + is a label."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if domain in DOT_INSENSITIVE_DOMAINS else local}@{domain}"


def build_reply(subscriber: Subscriber) -> EmailMultiAlternatives:
    """A link to confirm or, for who is confirmed already, to their preferences."""
    name: str
    context: dict[str, Any]
    if subscriber.is_mailable:
        name = "already"
        url = links.signed_url(links.Purpose.PREFERENCES, subscriber)
        context = {"preferences_url": url}
    else:
        name = "confirmation"
        url = links.signed_url(links.Purpose.CONFIRM, subscriber)
        context = {"confirm_url": url, "days": links.CONFIRM_LINK_LIFETIME.days}
    return mail_message.build_message(
        name, subscriber, context, message_id=build_message_id(name, subscriber)
    )


def build_message_id(kind: str, subscriber: Subscriber) -> str:
    """The same for the same request, however often it is tried."""
    asked = f"{subscriber.confirmation_requested_at:%Y%m%d%H%M%S%f}"
    return f"<{kind}-{subscriber.pk}-{asked}@{settings.SITE_HOST}>"


def claim_request(subscriber: Subscriber, *, now: datetime) -> bool:
    """Take the request as it was read: another worker, or a change of mind, may come between."""
    as_read = Subscriber.objects.filter(
        pk=subscriber.pk,
        status=subscriber.status,
        confirmation_requested_at=subscriber.confirmation_requested_at,
    )
    return bool(as_read.update(confirmation_requested_at=None, confirmation_sent_at=now))


def handle_failure(subscriber: Subscriber, error: Exception, *, now: datetime) -> None:
    """Let it wait for the next sweep, if it surely did not leave."""
    outcome = outcomes.outcome_for_error(error)
    if outcome.kind != OutcomeKind.UNSENT:
        logger.error("subscriber %s: not answered: %s", subscriber.pk, outcome.error)
        return
    claimed = Subscriber.objects.filter(
        pk=subscriber.pk, confirmation_requested_at__isnull=True, confirmation_sent_at=now
    )
    claimed.update(
        confirmation_requested_at=subscriber.confirmation_requested_at,
        confirmation_sent_at=subscriber.confirmation_sent_at,
    )
    logger.warning("subscriber %s: again later: %s", subscriber.pk, outcome.error)
