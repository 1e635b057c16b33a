"""The suppression list: addresses that must not be written to, stored as keyed hashes.

Guarantee: a suppressed address gets no mail except a confirmation that it asked for, also after its
row was erased. The hash is an HMAC of the normalised address with a key derived from SECRET_KEY, so
reading the table does not allow testing addresses. A replaced key must stay in SECRET_KEY_FALLBACKS:
hashes cannot be recomputed from hashes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from subscribers.models import Suppression

SALT = "subscribers.suppression"
# A graver reason replaces a lighter one, never the reverse: events arrive in any order.
REASONS_BY_SEVERITY = [
    Suppression.Reason.UNREACHABLE,
    Suppression.Reason.BOUNCED,
    Suppression.Reason.ERASED,
    Suppression.Reason.COMPLAINED,
]


def address_hash(email: str, *, key: str | None = None) -> str:
    return salted_hmac(SALT, email, secret=key, algorithm="sha256").hexdigest()


def address_hashes(email: str) -> list[str]:
    """Return the hashes by the current key and by the earlier ones."""
    return [address_hash(email, key=key) for key in hash_keys()]


def hash_keys() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def is_suppressed(email: str) -> bool:
    return Suppression.objects.filter(address_hash__in=address_hashes(email)).exists()


def suppressed_emails(emails: Iterable[str]) -> set[str]:
    """Return which of the addresses are suppressed, in one query."""
    email_of = {value: email for email in emails for value in address_hashes(email)}
    found = Suppression.objects.filter(address_hash__in=email_of)
    return {email_of[each] for each in found.values_list("address_hash", flat=True)}


@transaction.atomic
def suppress(email: str, reason: Suppression.Reason, now: datetime) -> None:
    """Suppress an address; a repeat, or a lighter reason, changes nothing."""
    row, created = Suppression.objects.select_for_update().get_or_create(
        address_hash=address_hash(email), defaults={"reason": reason, "created_at": now}
    )
    if not created and REASONS_BY_SEVERITY.index(
        Suppression.Reason(row.reason)
    ) < REASONS_BY_SEVERITY.index(reason):
        row.reason = reason
        row.save(update_fields=["reason"])


def remove_suppression(email: str, *, reason: Suppression.Reason | None = None) -> bool:
    """Lift a suppression, or only one with this reason; return whether there was one."""
    rows = Suppression.objects.filter(address_hash__in=address_hashes(email))
    deleted, _ = (rows.filter(reason=reason) if reason else rows).delete()
    return bool(deleted)
