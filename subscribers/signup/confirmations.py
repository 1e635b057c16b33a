"""Send confirmation mails: one per request, never two, and few to any one address.

The subscriber's row is the queue: a request waits in `confirmation_requested_at` until one
conditional UPDATE claims it, and only the claimant sends. A mail that was certainly not sent is
requeued; one that may have been sent is not repeated, because the person can sign up again.
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

# Limits of an address, whoever signs it up: MAX_BURST mails at MIN_INTERVAL, then none for COOLDOWN. A
# suppressed address waits COOLDOWN between any two.
MAX_BURST = 3
MIN_INTERVAL = timedelta(minutes=10)
COOLDOWN = timedelta(days=1)
# Mails to one mailbox under all its names: ada+1@, ada+2@.
PER_MAILBOX_LIMIT = "5/day"
# Providers that ignore dots before the @.
DOT_INSENSITIVE_DOMAINS = {"gmail.com", "googlemail.com"}
# A request older than this is no longer answered.
MAX_REQUEST_AGE = timedelta(days=1)


def enqueue_request(subscriber: Subscriber, *, now: datetime) -> bool:
    """Queue a confirmation mail if the limits allow it; the row must be locked."""
    if subscriber.confirmation_requested_at is None:
        if subscriber.confirmation_sent_at and now - subscriber.confirmation_sent_at >= COOLDOWN:
            subscriber.confirmation_count = 0
        if not within_address_limit(subscriber, now=now):
            logger.info("subscriber %s: requested again too soon", subscriber.pk)
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
    """Return the subscribers with a queued request, the oldest request first."""
    in_order = subscribers_awaiting_mail(now=now).order_by("confirmation_requested_at", "pk")
    return list(in_order.values_list("pk", flat=True)[:limit])


def subscribers_awaiting_mail(*, now: datetime) -> SubscriberQuerySet:
    return Subscriber.objects.awaiting_confirmation_mail().filter(
        confirmation_requested_at__gt=now - MAX_REQUEST_AGE
    )


def send(subscriber_id: int, *, now: datetime) -> bool:
    """Send the queued mail of a subscriber; return whether it was sent.

    False if no request is queued any longer, if a limit applies, or if sending failed.
    """
    subscriber = subscribers_awaiting_mail(now=now).filter(pk=subscriber_id).first()
    if subscriber is None:
        return False
    try:
        message = build_reply(subscriber)
    except mail_message.CannotSendError as refusal:
        logger.error("%s", refusal)
        claim_request(subscriber, now=now)  # waiting would not help
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
    """Count one confirmation mail; return False when the hourly limit is used up."""
    rate = f"{settings.CONFIRMATIONS_PER_HOUR}/hour"
    verdict = ratelimit.hit(rate, "confirmations", on_failure="refuse")
    if verdict.allowed and verdict.remaining == 0:
        logger.error(
            "The hourly limit of %s confirmation mails is used up for %s minutes: "
            "see docs/operators/signup.md.",
            verdict.limit,
            verdict.reset_after_seconds // 60,
        )
    return verdict.allowed


def within_mailbox_limit(subscriber: Subscriber) -> bool:
    """Count one mail to the mailbox; return False over its daily limit: the mail is dropped."""
    allowed = ratelimit.hit(
        PER_MAILBOX_LIMIT, "mailbox", canonical_mailbox(subscriber.email)
    ).allowed
    if not allowed:
        logger.info("subscriber %s: the daily limit of the mailbox is used up", subscriber.pk)
    return allowed


def canonical_mailbox(email: str) -> str:
    """Return the mailbox behind an address, for counting only: drop the +label and ignored dots."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if domain in DOT_INSENSITIVE_DOMAINS else local}@{domain}"


def build_reply(subscriber: Subscriber) -> EmailMultiAlternatives:
    """Return the mail with a confirmation link or, if active, with a preferences link."""
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
    """Return the Message-ID of a request, the same at each attempt."""
    requested_at = f"{subscriber.confirmation_requested_at:%Y%m%d%H%M%S%f}"
    return f"<{kind}-{subscriber.pk}-{requested_at}@{settings.SITE_HOST}>"


def claim_request(subscriber: Subscriber, *, now: datetime) -> bool:
    """Claim the request as it was read; return False if anything has changed since."""
    unchanged = Subscriber.objects.filter(
        pk=subscriber.pk,
        status=subscriber.status,
        confirmation_requested_at=subscriber.confirmation_requested_at,
    )
    return bool(unchanged.update(confirmation_requested_at=None, confirmation_sent_at=now))


def handle_failure(subscriber: Subscriber, error: Exception, *, now: datetime) -> None:
    """Requeue the request if its mail was certainly not sent; else log the error."""
    outcome = outcomes.outcome_for_error(error)
    if outcome.kind != OutcomeKind.UNSENT:
        logger.error("subscriber %s: confirmation not sent: %s", subscriber.pk, outcome.error)
        return
    claimed = Subscriber.objects.filter(
        pk=subscriber.pk, confirmation_requested_at__isnull=True, confirmation_sent_at=now
    )
    claimed.update(
        confirmation_requested_at=subscriber.confirmation_requested_at,
        confirmation_sent_at=subscriber.confirmation_sent_at,
    )
    logger.warning("subscriber %s: confirmation requeued: %s", subscriber.pk, outcome.error)
