"""Consent texts by version, and the stored proof that a reader gave consent.

Never change a text that has been shown: a new wording is a new version, and old versions stay here
for the proofs that name them.
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
    """Where a consent was given, and to which text."""

    form: Consent.FormKind = FormKind.PAGE
    version: str = CURRENT_VERSION
    ip: str = ""


def record_request(
    subscriber: Subscriber, consent_context: ConsentContext, *, now: datetime
) -> None:
    """Store an unconfirmed consent, in place of an earlier unconfirmed one."""
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
    """Mark the consent as confirmed; it is immutable from now on."""
    Consent.objects.filter(subscriber=subscriber, confirmed_at=None).update(confirmed_at=now)


def record_import(
    subscribers: Sequence[Subscriber],
    form_kind: Consent.FormKind,
    *,
    request_times: Sequence[datetime],
) -> None:
    """Store the consents of an import; those of active subscribers count as confirmed."""
    Consent.objects.bulk_create(
        Consent(
            subscriber=subscriber,
            asked_at=min(moment, subscriber.confirmed_at or moment),
            confirmed_at=subscriber.confirmed_at,
            form=form_kind,
        )
        for subscriber, moment in zip(subscribers, request_times, strict=True)
    )
