"""Suppression list: addresses that must not receive mail, stored as keyed hashes.

Guarantee: a suppressed address receives nothing but, on request, one confirmation mail a day,
also after its subscriber was erased. Only this module writes the table; a more severe reason
replaces a milder one and never the reverse, so events may arrive in any order and repeatedly.

The hash is an HMAC of the normalised address with a key derived from SECRET_KEY, so a copy of the
table does not reveal addresses to a dictionary attack. Keep a replaced key in SECRET_KEY_FALLBACKS:
hashes cannot be recomputed, and without it every suppression made with it is lost.

Cost: one query per look-up, for one address or many.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.crypto import salted_hmac

from papers.web import signatures
from subscribers.models import Suppression

# Never change it: the stored hashes could no longer be found.
SALT = "subscribers.suppression"
# Mildest first.
REASONS_BY_SEVERITY = [
    Suppression.Reason.UNREACHABLE,
    Suppression.Reason.BOUNCED,
    Suppression.Reason.ERASED,
    Suppression.Reason.COMPLAINED,
]


def address_hash(email: str, *, key: str | None = None) -> str:
    return salted_hmac(SALT, email, secret=key, algorithm="sha256").hexdigest()


def address_hashes(email: str) -> list[str]:
    """Return the hashes of an address by the current key and by each earlier one."""
    return [address_hash(email, key=key) for key in signatures.secret_keys()]


def is_suppressed(email: str) -> bool:
    return Suppression.objects.filter(address_hash__in=address_hashes(email)).exists()


def suppressed_emails(emails: Iterable[str]) -> set[str]:
    """Return the suppressed addresses among these, in one query."""
    email_by_hash = {hashed: email for email in emails for hashed in address_hashes(email)}
    rows = Suppression.objects.filter(address_hash__in=email_by_hash)
    return {email_by_hash[hashed] for hashed in rows.values_list("address_hash", flat=True)}


@transaction.atomic
def suppress(email: str, reason: Suppression.Reason, now: datetime) -> None:
    """Suppress an address; for one that is suppressed already, only replace a milder reason."""
    row, created = Suppression.objects.select_for_update().get_or_create(
        address_hash=address_hash(email), defaults={"reason": reason, "created_at": now}
    )
    if not created and REASONS_BY_SEVERITY.index(
        Suppression.Reason(row.reason)
    ) < REASONS_BY_SEVERITY.index(reason):
        row.reason = reason
        row.save(update_fields=["reason"])


def remove_suppression(email: str, *, reason: Suppression.Reason | None = None) -> bool:
    """Remove an address from the list; return whether it was on it.

    With a reason, remove it only if suppressed for that reason. Without one, call this only when
    the owner has proved that they read mail there and want it.
    """
    rows = Suppression.objects.filter(address_hash__in=address_hashes(email))
    deleted, _ = (rows.filter(reason=reason) if reason else rows).delete()
    return bool(deleted)
