"""What is kept about one person: all of it for them to read, or none of it any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from subscribers import suppression
from subscribers.models import Subscriber, Suppression

# Sent with the `email` of whom is to be forgotten, before the row goes: what other apps keep of
# them without a relation to that row must go too.
erasing = Signal()


def export(subscriber: Subscriber) -> dict[str, Any]:
    """Every row about them, by the name of its table; other apps' rows too."""
    kept: dict[str, Any] = {
        "subscriber": Subscriber.objects.values().get(pk=subscriber.pk),
        "topics": dict(
            subscriber.preferences.topic_choices.order_by("topic__slug").values_list(
                "topic__slug", "attitude"
            )
        ),
        "suppressed": suppression.is_suppressed(subscriber.email),
    }
    for relation in Subscriber._meta.related_objects:
        about_them = {relation.field.name: subscriber}
        rows = relation.related_model._default_manager.filter(**about_them).order_by("pk")
        kept[str(relation.related_model._meta.verbose_name_plural)] = list(rows.values())
    return kept


@transaction.atomic
def erase(email: str, now: datetime) -> bool:
    """Forget them, save for the hash that keeps a list from bringing them back; False if unknown."""
    suppression.suppress(email, Suppression.Reason.ERASED, now)
    erasing.send(sender=Subscriber, email=email)
    deleted, _ = Subscriber.objects.filter(email=email).delete()
    return bool(deleted)
