"""What is kept about one person: all of it for them to read, or none of it any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.db import transaction
from django.dispatch import Signal

from subscribers import suppression
from subscribers.models import Subscriber, Suppression, TopicChoice, UnsubscribeFeedback

# What other apps keep of the `subscriber` without a relation to their row: each answers with a
# dict of rows, by the name of its table.
collect_personal_data = Signal()
# Sent with the `email` of whom is to be forgotten, before the row goes: what other apps keep of
# them without a relation to that row must go too.
erase_personal_data = Signal()

# Opens a door and says nothing about them.
EXCLUDED_FIELD = "confirmation_nonce"


def export_subscriber(subscriber: Subscriber) -> dict[str, Any]:
    """Every row about them, by the name of its table; other apps' rows too."""
    row = Subscriber.objects.values().get(pk=subscriber.pk)
    shunned = Suppression.objects.filter(
        address_hash__in=suppression.address_hashes(subscriber.email)
    )
    kept: dict[str, Any] = {
        "subscriber": {name: value for name, value in row.items() if name != EXCLUDED_FIELD},
        "topics": topic_preferences(subscriber),
        "suppressed": suppression.is_suppressed(subscriber.email),
        "suppressions": list(shunned.values("reason", "created_at")),
    }
    for relation in Subscriber._meta.related_objects:
        about_them = {relation.field.name: subscriber}
        rows = relation.related_model._default_manager.filter(**about_them).order_by("pk")
        kept[str(relation.related_model._meta.verbose_name_plural)] = list(rows.values())
    for _, told in collect_personal_data.send(sender=Subscriber, subscriber=subscriber):
        kept.update(cast("dict[str, Any]", told))
    return kept


def topic_preferences(subscriber: Subscriber) -> dict[str, str]:
    rows = TopicChoice.objects.filter(preferences__subscriber=subscriber)
    return dict(rows.order_by("topic__slug").values_list("topic__slug", "attitude"))


@transaction.atomic
def erase_subscriber(email: str, now: datetime) -> bool:
    """Forget them, save for the hash that keeps a list from bringing them back; False if unknown."""
    suppression.suppress(email, Suppression.Reason.ERASED, now)
    erase_personal_data.send(sender=Subscriber, email=email)
    # Nobody's; but somebody may have signed with their address.
    UnsubscribeFeedback.objects.filter(words__icontains=email).update(words="")
    deleted, _ = Subscriber.objects.filter(email=email).delete()
    return bool(deleted)
