"""The exit survey: anonymous reasons for leaving."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from subscribers.models import Subscriber, UnsubscribeFeedback

# For the comments; the reasons are kept.
COMMENT_RETENTION = timedelta(days=365)


@transaction.atomic
def record_answer(subscriber: Subscriber, reason: str, words: str, *, now: datetime) -> bool:
    """Store why somebody left; return False if they answered already or came back."""
    unchanged = Subscriber.objects.filter(
        pk=subscriber.pk,
        status=Subscriber.Status.LEFT,
        confirmation_nonce=subscriber.confirmation_nonce,
    )
    if not unchanged.update(confirmation_nonce=uuid4()):
        return False
    UnsubscribeFeedback.objects.create(reason=reason, words=words, said_on=now.date())
    return True


def purge_old_comments(*, now: datetime) -> int:
    """Delete old comments, which may say who wrote them; return how many."""
    old = UnsubscribeFeedback.objects.filter(said_on__lte=(now - COMMENT_RETENTION).date()).exclude(
        words=""
    )
    return old.update(words="")
