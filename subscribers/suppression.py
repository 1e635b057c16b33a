"""Addresses that must not be written to, known only by a keyed hash that outlives their rows.

The hash is of the normalised address, with a key derived from SECRET_KEY: whoever reads the table
cannot try addresses on it. A key that is replaced must stay in SECRET_KEY_FALLBACKS, for hashes
cannot be made again from themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.crypto import salted_hmac

from papers.web import signatures
from subscribers.models import Suppression

SALT = "subscribers.suppression"
# A graver reason replaces a lighter one, never the other way: events come in any order.
REASONS_BY_SEVERITY = [
    Suppression.Reason.UNREACHABLE,
    Suppression.Reason.BOUNCED,
    Suppression.Reason.ERASED,
    Suppression.Reason.COMPLAINED,
]


def address_hash(email: str, *, key: str | None = None) -> str:
    return salted_hmac(SALT, email, secret=key, algorithm="sha256").hexdigest()


def address_hashes(email: str) -> list[str]:
    """By today's key and by those before it."""
    return [address_hash(email, key=key) for key in signatures.secret_keys()]


def is_suppressed(email: str) -> bool:
    return Suppression.objects.filter(address_hash__in=address_hashes(email)).exists()


def suppressed_emails(emails: Iterable[str]) -> set[str]:
    """Those among them that must not be written to: one query, however many."""
    email_of = {each: email for email in emails for each in address_hashes(email)}
    found = Suppression.objects.filter(address_hash__in=email_of)
    return {email_of[each] for each in found.values_list("address_hash", flat=True)}


@transaction.atomic
def suppress(email: str, reason: Suppression.Reason, now: datetime) -> None:
    """Write to this address no more; again, or for a lighter reason, changes nothing."""
    row, created = Suppression.objects.select_for_update().get_or_create(
        address_hash=address_hash(email), defaults={"reason": reason, "created_at": now}
    )
    if not created and REASONS_BY_SEVERITY.index(
        Suppression.Reason(row.reason)
    ) < REASONS_BY_SEVERITY.index(reason):
        row.reason = reason
        row.save(update_fields=["reason"])


def remove_suppression(email: str, *, reason: Suppression.Reason | None = None) -> bool:
    """Its owner has proven that it exists, and asked to be written to; or one reason has gone."""
    rows = Suppression.objects.filter(address_hash__in=address_hashes(email))
    deleted, _ = (rows.filter(reason=reason) if reason else rows).delete()
    return bool(deleted)
