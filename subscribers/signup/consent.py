"""Consent texts and the stored proof that a subscriber asked to join.

Never edit a text that was shown: stored proofs name its version. To change the wording, add a
version and point CURRENT_VERSION to it.
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
    """The form, text version and IP address with which somebody consented."""

    form: Consent.FormKind = FormKind.PAGE
    version: str = CURRENT_VERSION
    ip: str = ""


def record_request(
    subscriber: Subscriber, consent_context: ConsentContext, *, now: datetime
) -> None:
    """Store an unconfirmed consent, replacing the subscriber's previous unconfirmed one."""
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
    """Mark the unconfirmed consent as confirmed; nothing changes it from then on."""
    Consent.objects.filter(subscriber=subscriber, confirmed_at=None).update(confirmed_at=now)


def record_import(
    subscribers: Sequence[Subscriber],
    form_kind: Consent.FormKind,
    *,
    request_times: Sequence[datetime],
) -> None:
    """Store the consents of subscribers that an operator adds.

    The operator vouches for those who are active; the others stay unconfirmed until they confirm
    by mail.
    """
    Consent.objects.bulk_create(
        Consent(
            subscriber=subscriber,
            asked_at=min(request_time, subscriber.confirmed_at or request_time),
            confirmed_at=subscriber.confirmed_at,
            form=form_kind,
        )
        for subscriber, request_time in zip(subscribers, request_times, strict=True)
    )
