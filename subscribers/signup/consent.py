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

FormKind = Consent.FormKind

CONSENT_TEXTS = {
    "2026-11": (
        "You ask for trending papers by email, at most once a day. One email comes first, to"
        " confirm that it was you. Leave with one click, any day."
    ),
}
CURRENT_VERSION = "2026-11"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentContext:
    """Where somebody said yes, and to which text."""

    form: Consent.FormKind = FormKind.PAGE
    version: str = CURRENT_VERSION
    ip: str = ""


def record_request(
    subscriber: Subscriber, consent_context: ConsentContext, *, now: datetime
) -> None:
    """They asked; it counts for nothing until they confirm. The newest of their forms is kept."""
    Consent.objects.update_or_create(
        subscriber=subscriber,
        confirmed_at=None,
        defaults={
            "asked_at": now,
            "form": consent_context.form,
            "text_version": consent_context.version,
            "ip": (consent_context.ip or None) if settings.CONSENT_IP else None,
        },
    )


def record_confirmation(subscriber: Subscriber, *, now: datetime) -> None:
    """They pressed the button in the mail: from now on this proof stays as it is."""
    Consent.objects.filter(subscriber=subscriber, confirmed_at=None).update(confirmed_at=now)


def record_import(
    subscribers: Sequence[Subscriber],
    form_kind: Consent.FormKind,
    *,
    request_times: Sequence[datetime],
) -> None:
    """An operator vouches for those who are active, and wants the others asked."""
    Consent.objects.bulk_create(
        Consent(
            subscriber=subscriber,
            asked_at=min(moment, subscriber.confirmed_at or moment),
            confirmed_at=subscriber.confirmed_at,
            form=form_kind,
        )
        for subscriber, moment in zip(subscribers, request_times, strict=True)
    )
