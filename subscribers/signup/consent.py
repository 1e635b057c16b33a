"""What people are told when they ask to join, word by word, and the proof that they asked.

A text that has been shown is never changed: a new wording is a new version, and the old stays here
for the proofs that name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from subscribers.models import Consent, Subscriber

Form = Consent.FormKind

TEXTS = {
    "2026-11": (
        "You ask for trending papers by email, at most once a day. One email comes first, to"
        " confirm that it was you. Leave with one click, any day."
    ),
}
CURRENT = "2026-11"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where somebody said yes, and to which text."""

    form: Consent.FormKind = Form.PAGE
    version: str = CURRENT
    ip: str = ""


def note(subscriber: Subscriber, given: Given, *, now: datetime) -> None:
    """They asked; it counts for nothing until they confirm. The newest of their forms is kept."""
    Consent.objects.update_or_create(
        subscriber=subscriber,
        confirmed_at=None,
        defaults={
            "asked_at": now,
            "form": given.form,
            "text_version": given.version,
            "ip": (given.ip or None) if settings.CONSENT_IP else None,
        },
    )


def complete(subscriber: Subscriber, *, now: datetime) -> None:
    """They pressed the button in the mail: from now on this proof stays as it is."""
    Consent.objects.filter(subscriber=subscriber, confirmed_at=None).update(confirmed_at=now)


def bring(
    subscribers: Sequence[Subscriber], form: Consent.FormKind, *, asked: Sequence[datetime]
) -> None:
    """An operator vouches for those who are active, and wants the others asked."""
    Consent.objects.bulk_create(
        Consent(
            subscriber=subscriber,
            asked_at=min(moment, subscriber.confirmed_at or moment),
            confirmed_at=subscriber.confirmed_at,
            form=form,
        )
        for subscriber, moment in zip(subscribers, asked, strict=True)
    )
