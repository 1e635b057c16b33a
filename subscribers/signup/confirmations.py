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
from subscribers.mail.outcomes import Kind
from subscribers.models import Subscriber, SubscriberQuerySet

logger = logging.getLogger(__name__)

# The budget of an address, whoever asks: this many emails with so much time between them, then
# none for a day. One that must not be written to has that day between any two.
BURST = 3
GAP = timedelta(minutes=10)
DAY = timedelta(days=1)
# To one mailbox under all its names: ada+1@, ada+2@.
PER_MAILBOX = "5/day"
# Providers that do not see dots before the @.
WITHOUT_DOTS = {"gmail.com", "googlemail.com"}
# An answer later than this helps nobody.
LATEST = timedelta(days=1)


def request(subscriber: Subscriber, *, now: datetime) -> bool:
    """Note that they are to be written to, if the budget allows; the row must be locked."""
    if subscriber.confirmation_requested_at is None:
        if subscriber.confirmation_sent_at and now - subscriber.confirmation_sent_at >= DAY:
            subscriber.confirmation_count = 0
        if not budget_allows(subscriber, now=now):
            logger.info("subscriber %s: asked again too soon", subscriber.pk)
            return False
        subscriber.confirmation_count += 1
    subscriber.confirmation_requested_at = now
    subscriber.save(update_fields=["confirmation_requested_at", "confirmation_count"])
    return True


def budget_allows(subscriber: Subscriber, *, now: datetime) -> bool:
    sent_at, count = subscriber.confirmation_sent_at, subscriber.confirmation_count
    if sent_at is None or count == 0:
        return True
    spent = count >= BURST or suppression.is_suppressed(subscriber.email)
    return now - sent_at >= (DAY if spent else GAP)


def due(*, now: datetime, most: int) -> list[int]:
    """Who waits for an answer, the longest first."""
    in_order = waiting(now=now).order_by("confirmation_requested_at", "pk")
    return list(in_order.values_list("pk", flat=True)[:most])


def waiting(*, now: datetime) -> SubscriberQuerySet:
    return Subscriber.objects.awaiting_confirmation_mail().filter(
        confirmation_requested_at__gt=now - LATEST
    )


def send(subscriber_id: int, *, now: datetime) -> bool:
    """Answer a request that waits; False if none does any more, or the answer did not leave."""
    subscriber = waiting(now=now).filter(pk=subscriber_id).first()
    if subscriber is None:
        return False
    try:
        message = answer_to(subscriber)
    except mail_message.Refused as refusal:
        logger.error("%s", refusal)
        claim(subscriber, now=now)  # it will not become possible by waiting
        return False
    if not fuse_holds() or not claim(subscriber, now=now) or not has_room(subscriber):
        return False
    try:
        message.send()
    except (OSError, AnymailError, AnymailConfigurationError) as error:
        note_failure(subscriber, error, now=now)
        return False
    return True


def fuse_holds() -> bool:
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


def has_room(subscriber: Subscriber) -> bool:
    """Count a mail to a mailbox; what it has no room for is dropped."""
    allowed = ratelimit.hit(PER_MAILBOX, "mailbox", mailbox_of(subscriber.email)).allowed
    if not allowed:
        logger.info("subscriber %s: the mailbox has had its share for a day", subscriber.pk)
    return allowed


def mailbox_of(email: str) -> str:
    """The mailbox behind an address, for counting only: what stands after a + is a label."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if domain in WITHOUT_DOTS else local}@{domain}"


def answer_to(subscriber: Subscriber) -> EmailMultiAlternatives:
    """A link to confirm or, for who is confirmed already, to their preferences."""
    name: str
    context: dict[str, Any]
    if subscriber.is_mailable:
        name = "already"
        url = links.url(links.Purpose.PREFERENCES, subscriber)
        context = {"preferences_url": url}
    else:
        name = "confirmation"
        url = links.url(links.Purpose.CONFIRM, subscriber)
        context = {"confirm_url": url, "days": links.CONFIRM_WITHIN.days}
    return mail_message.build(name, subscriber, context, message_id=message_id(name, subscriber))


def message_id(name: str, subscriber: Subscriber) -> str:
    """The same for the same request, however often it is tried."""
    asked = f"{subscriber.confirmation_requested_at:%Y%m%d%H%M%S%f}"
    return f"<{name}-{subscriber.pk}-{asked}@{settings.SITE_HOST}>"


def claim(subscriber: Subscriber, *, now: datetime) -> bool:
    """Take the request as it was read: another worker, or a change of mind, may come between."""
    as_read = Subscriber.objects.filter(
        pk=subscriber.pk,
        status=subscriber.status,
        confirmation_requested_at=subscriber.confirmation_requested_at,
    )
    return bool(as_read.update(confirmation_requested_at=None, confirmation_sent_at=now))


def note_failure(subscriber: Subscriber, error: Exception, *, now: datetime) -> None:
    """Let it wait for the next sweep, if it surely did not leave."""
    outcome = outcomes.of_error(error)
    if outcome.kind != Kind.UNSENT:
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
