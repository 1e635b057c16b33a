"""Export and erase everything that is stored about one person.

Guarantee: the export holds every row about a subscriber, and after erasing no table holds their
address or public id. Rows with a foreign key to `Subscriber` are found by introspection and deleted
by cascade. Apps that store personal data without one must connect to both signals below.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.db import transaction
from django.dispatch import Signal

from subscribers import suppression
from subscribers.models import Subscriber, Suppression, TopicChoice, UnsubscribeFeedback

# Sent with `subscriber`. A receiver returns the rows that its app stores without a foreign key to
# the subscriber, as lists by the name of their table.
collect_personal_data = Signal()
# Sent with `email` in the transaction that then deletes the subscriber. A receiver deletes the
# rows that its app stores without a foreign key to the subscriber.
erase_personal_data = Signal()

# Left out of the export: it is part of confirmation links, and says nothing about the person.
EXCLUDED_FIELD = "confirmation_nonce"


def export_subscriber(subscriber: Subscriber) -> dict[str, Any]:
    """Return every row about a subscriber, also from other apps, as lists by table name."""
    row = Subscriber.objects.values().get(pk=subscriber.pk)
    suppressions = Suppression.objects.filter(
        address_hash__in=suppression.address_hashes(subscriber.email)
    )
    data: dict[str, Any] = {
        "subscriber": {name: value for name, value in row.items() if name != EXCLUDED_FIELD},
        "topics": topic_preferences(subscriber),
        "suppressed": suppression.is_suppressed(subscriber.email),
        "suppressions": list(suppressions.values("reason", "created_at")),
    }
    for relation in Subscriber._meta.related_objects:
        model = relation.related_model
        rows = model._default_manager.filter(**{relation.field.name: subscriber}).order_by("pk")
        data[str(model._meta.verbose_name_plural)] = list(rows.values())
    for _, tables in collect_personal_data.send(sender=Subscriber, subscriber=subscriber):
        data.update(cast("dict[str, Any]", tables))
    return data


def topic_preferences(subscriber: Subscriber) -> dict[str, str]:
    topic_choices = TopicChoice.objects.filter(preferences__subscriber=subscriber)
    return dict(topic_choices.order_by("topic__slug").values_list("topic__slug", "attitude"))


@transaction.atomic
def erase_subscriber(email: str, now: datetime) -> bool:
    """Delete everything about an address, and suppress it so that no import adds it again.

    Return whether there was a subscriber. Safe to repeat. A suppression for a complaint, which
    outranks erasure, keeps its reason.
    """
    suppression.suppress(email, Suppression.Reason.ERASED, now)
    erase_personal_data.send(sender=Subscriber, email=email)
    # Exit survey answers are anonymous, but a reader may have typed the address into one.
    UnsubscribeFeedback.objects.filter(words__icontains=email).update(words="")
    deleted, _ = Subscriber.objects.filter(email=email).delete()
    return bool(deleted)
