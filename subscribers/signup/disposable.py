"""Reject disposable mailboxes, by a known list that the operator can extend or correct."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from disposable_email_domains import blocklist
from django.conf import settings

from subscribers.addresses import InvalidAddressError

logger = logging.getLogger(__name__)

REFUSAL_MESSAGE = (
    "That is a disposable mailbox, and the digest comes every day. Please give an address that you"
    " keep; you can leave with one click."
)


def reject_disposable(email: str) -> None:
    """Raise InvalidAddressError for a disposable mailbox if REFUSE_DISPOSABLE is on."""
    if settings.REFUSE_DISPOSABLE and is_disposable(email.rpartition("@")[2]):
        raise InvalidAddressError(REFUSAL_MESSAGE)


def is_disposable(domain: str) -> bool:
    """Return whether a domain or a parent of it is listed; the operator's list overrides."""
    added, removed = operator_lists()
    return any(
        name not in removed and (name in added or name in blocklist)
        for name in parent_domains(domain)
    )


def parent_domains(domain: str) -> list[str]:
    """Return the domain and its parents, without the top-level domain: a.b.org, b.org."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]


def operator_lists() -> tuple[frozenset[str], frozenset[str]]:
    """Return the added and the removed domains of the operator's file, read again when it changes."""
    if not settings.DISPOSABLE_DOMAINS_FILE:
        return frozenset(), frozenset()
    path = Path(settings.DISPOSABLE_DOMAINS_FILE)
    try:
        return read_domain_lists(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        logger.error("the list of disposable domains cannot be read: %s", type(error).__name__)
        return frozenset(), frozenset()


@lru_cache(maxsize=1)
def read_domain_lists(path: Path, _modified_ns: int) -> tuple[frozenset[str], frozenset[str]]:
    """Parse a file with one domain a line: "-" in front removes it, "#" begins a comment."""
    lines = [line.partition("#")[0].strip().lower() for line in path.read_text().splitlines()]
    removed = {line[1:].strip() for line in lines if line.startswith("-")}
    return frozenset(line for line in lines if line[:1] not in {"", "-"}), frozenset(removed)
