"""What those say who leave: counted and read, and kept apart from who they were."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from subscribers.models import Subscriber, UnsubscribeFeedback

# The words; their count by reason stays.
KEEP_WORDS = timedelta(days=365)


@transaction.atomic
def say(subscriber: Subscriber, reason: str, words: str, *, now: datetime) -> bool:
    """Keep why somebody left, if they still have and did not say so yet."""
    as_read = Subscriber.objects.filter(
        pk=subscriber.pk,
        status=Subscriber.Status.LEFT,
        confirmation_nonce=subscriber.confirmation_nonce,
    )
    if not as_read.update(confirmation_nonce=uuid4()):
        return False
    UnsubscribeFeedback.objects.create(reason=reason, words=words, said_on=now.date())
    return True


def forget(*, now: datetime) -> int:
    """Drop old words: somebody may have written who they are."""
    old = UnsubscribeFeedback.objects.filter(said_on__lte=(now - KEEP_WORDS).date()).exclude(
        words=""
    )
    return old.update(words="")
