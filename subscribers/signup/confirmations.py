"""Send confirmation mails: at most one per request, and few to any one address.

Guarantee: no request is answered twice, and no request is lost for a day.
`Subscriber.confirmation_requested_at` is the queue. A request waits there until one conditional
UPDATE claims it by setting it to NULL; only the worker that claimed it sends. A mail that was
certainly not sent is requeued. A mail that may have been sent is never repeated: its recipient can
request another one. A worker that dies between claim and send therefore loses that mail.

Only this module fills and claims the queue and writes `confirmation_sent_at`; confirming, leaving
and the purge empty the queue. Cost per mail: one read, one claim, and at most one query to build
the message, plus three rate limits or suppression look-ups.
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

# Limits per address, whoever requests: MAX_BURST mails with MIN_INTERVAL between them, then none
# for COOLDOWN. A suppressed address waits for COOLDOWN after every mail.
MAX_BURST = 3
MIN_INTERVAL = timedelta(minutes=10)
COOLDOWN = timedelta(days=1)
# Per mailbox, whose addresses may be many: ada+1@, ada+2@.
PER_MAILBOX_LIMIT = "5/day"
# Providers that ignore dots before the @.
DOT_INSENSITIVE_DOMAINS = {"gmail.com", "googlemail.com"}
# An older request is not answered: its sender no longer expects the mail.
MAX_REQUEST_AGE = timedelta(days=1)


def enqueue_request(subscriber: Subscriber, *, now: datetime) -> bool:
    """Queue a confirmation mail; return False if the address is over its limit.

    The row must be locked. A request that is already queued is only renewed.
    """
    if subscriber.confirmation_requested_at is None:
        if subscriber.confirmation_sent_at and now - subscriber.confirmation_sent_at >= COOLDOWN:
            subscriber.confirmation_count = 0
        if not within_address_limit(subscriber, now=now):
            logger.info("subscriber %s: over the limit of confirmation mails", subscriber.pk)
            return False
        subscriber.confirmation_count += 1
    subscriber.confirmation_requested_at = now
    subscriber.save(update_fields=["confirmation_requested_at", "confirmation_count"])
    return True


def within_address_limit(subscriber: Subscriber, *, now: datetime) -> bool:
    sent_at, count = subscriber.confirmation_sent_at, subscriber.confirmation_count
    if sent_at is None or count == 0:
        return True
    needs_cooldown = count >= MAX_BURST or suppression.is_suppressed(subscriber.email)
    return now - sent_at >= (COOLDOWN if needs_cooldown else MIN_INTERVAL)


def due_subscriber_ids(*, now: datetime, limit: int) -> list[int]:
    """Return the subscribers whose request is queued, oldest request first."""
    queued = subscribers_awaiting_mail(now=now).order_by("confirmation_requested_at", "pk")
    return list(queued.values_list("pk", flat=True)[:limit])


def subscribers_awaiting_mail(*, now: datetime) -> SubscriberQuerySet:
    return Subscriber.objects.awaiting_confirmation_mail().filter(
        confirmation_requested_at__gt=now - MAX_REQUEST_AGE
    )


def send(subscriber_id: int, *, now: datetime) -> bool:
    """Answer a queued request; return whether a mail was sent.

    Safe to repeat and to run concurrently: the claim decides which call sends. The hourly limit
    is checked before the claim, so that requests over it stay queued; the mailbox limit after it,
    so that requests over it are dropped.
    """
    subscriber = subscribers_awaiting_mail(now=now).filter(pk=subscriber_id).first()
    if subscriber is None:
        return False
    try:
        message = build_reply(subscriber)
    except mail_message.CannotSendError as error:
        logger.error("%s", error)
        claim_request(subscriber, now=now)  # Retrying would fail in the same way.
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
    """Count one confirmation mail; return False when the hourly limit is used up.

    Without its storage the limit fails closed: mails wait rather than flood.
    """
    rate = f"{settings.CONFIRMATIONS_PER_HOUR}/hour"
    result = ratelimit.hit(rate, "confirmations", on_failure="refuse")
    if result.allowed and result.remaining == 0:
        logger.error(
            "The hourly limit of %s confirmation mails is used up; the next mails leave in"
            " %s minutes: see docs/operators/signup.md.",
            result.limit,
            result.reset_after_seconds // 60,
        )
    return result.allowed


def within_mailbox_limit(subscriber: Subscriber) -> bool:
    """Count one mail to the canonical mailbox; return False over its daily limit."""
    allowed = ratelimit.hit(
        PER_MAILBOX_LIMIT, "mailbox", canonical_mailbox(subscriber.email)
    ).allowed
    if not allowed:
        logger.info("subscriber %s: over the daily limit of its mailbox", subscriber.pk)
    return allowed


def canonical_mailbox(email: str) -> str:
    """Return the mailbox behind an address, without +labels and insignificant dots.

    For counting only. Never write to the result or store it: it may not be deliverable.
    """
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if domain in DOT_INSENSITIVE_DOMAINS else local}@{domain}"


def build_reply(subscriber: Subscriber) -> EmailMultiAlternatives:
    """Build the mail with a confirmation link or, for an active reader, a preferences link."""
    kind: str
    context: dict[str, Any]
    if subscriber.is_mailable:
        kind = "already"
        url = links.signed_url(links.Purpose.PREFERENCES, subscriber)
        context = {"preferences_url": url}
    else:
        kind = "confirmation"
        url = links.signed_url(links.Purpose.CONFIRM, subscriber)
        context = {"confirm_url": url, "days": links.CONFIRM_LINK_LIFETIME.days}
    return mail_message.build_message(
        kind, subscriber, context, message_id=build_message_id(kind, subscriber)
    )


def build_message_id(kind: str, subscriber: Subscriber) -> str:
    """Return a Message-ID that is the same for every attempt at one request."""
    requested_at = f"{subscriber.confirmation_requested_at:%Y%m%d%H%M%S%f}"
    return f"<{kind}-{subscriber.pk}-{requested_at}@{settings.SITE_HOST}>"


def claim_request(subscriber: Subscriber, *, now: datetime) -> bool:
    """Take a request from the queue; return False if the row changed since it was read.

    Another worker may have claimed it, or its subscriber may have left.
    """
    unchanged = Subscriber.objects.filter(
        pk=subscriber.pk,
        status=subscriber.status,
        confirmation_requested_at=subscriber.confirmation_requested_at,
    )
    return bool(unchanged.update(confirmation_requested_at=None, confirmation_sent_at=now))


def handle_failure(subscriber: Subscriber, error: Exception, *, now: datetime) -> None:
    """Requeue a mail that was certainly not sent; log any other failure."""
    outcome = outcomes.outcome_for_error(error)
    if outcome.kind != OutcomeKind.UNSENT:
        logger.error("subscriber %s: confirmation mail failed: %s", subscriber.pk, outcome.error)
        return
    claimed = Subscriber.objects.filter(
        pk=subscriber.pk, confirmation_requested_at__isnull=True, confirmation_sent_at=now
    )
    claimed.update(
        confirmation_requested_at=subscriber.confirmation_requested_at,
        confirmation_sent_at=subscriber.confirmation_sent_at,
    )
    logger.warning("subscriber %s: confirmation mail requeued: %s", subscriber.pk, outcome.error)
