"""Exit survey: why readers unsubscribe, stored without any link to the reader.

Each departure is answered at most once: an answer renews the subscriber's nonce, which the survey
link contains. Guarantee of anonymity: the row holds a reason, a comment and a date, never a time
or a subscriber.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from subscribers.models import Subscriber, UnsubscribeFeedback

# Comments are blanked after this time; the reasons stay, for statistics.
COMMENT_RETENTION = timedelta(days=365)


@transaction.atomic
def record_answer(subscriber: Subscriber, reason: str, words: str, *, now: datetime) -> bool:
    """Store the answer of a reader who left.

    Return False, and store nothing, if they have answered already or are no longer unsubscribed.
    """
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
    """Blank old comments, which may contain personal data, and return their number."""
    cutoff_date = (now - COMMENT_RETENTION).date()
    expired = UnsubscribeFeedback.objects.filter(said_on__lte=cutoff_date).exclude(words="")
    return expired.update(words="")
