"""What those say who leave: counted and read, and kept apart from who they were."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from subscribers.models import Subscriber, UnsubscribeFeedback

# The words; their count by reason stays.
COMMENT_RETENTION = timedelta(days=365)


@transaction.atomic
def record_answer(subscriber: Subscriber, reason: str, words: str, *, now: datetime) -> bool:
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


def purge_old_comments(*, now: datetime) -> int:
    """Drop old words: somebody may have written who they are."""
    old = UnsubscribeFeedback.objects.filter(said_on__lte=(now - COMMENT_RETENTION).date()).exclude(
        words=""
    )
    return old.update(words="")
