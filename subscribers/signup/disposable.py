"""Disposable mail domains: a packaged list, extended and corrected by the operator's file."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from disposable_email_domains import blocklist
from django.conf import settings

from subscribers.addresses import InvalidAddressError

logger = logging.getLogger(__name__)

REFUSAL_MESSAGE = (
    "That is a disposable address, but a digest comes every day. Please use an address that you"
    " keep; you can unsubscribe with one click."
)


def reject_disposable(email: str) -> None:
    """Raise InvalidAddressError for a disposable address if REFUSE_DISPOSABLE is set."""
    if settings.REFUSE_DISPOSABLE and is_disposable(email.rpartition("@")[2]):
        raise InvalidAddressError(REFUSAL_MESSAGE)


def is_disposable(domain: str) -> bool:
    """Return whether a domain or one of its parent domains is listed.

    The operator's file takes precedence over the packaged list.
    """
    refused, allowed = operator_lists()
    return any(
        name not in allowed and (name in refused or name in blocklist)
        for name in parent_domains(domain)
    )


def parent_domains(domain: str) -> list[str]:
    """Return the domain and its parents, such as a.b.org and b.org, without the top-level one."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]


def operator_lists() -> tuple[frozenset[str], frozenset[str]]:
    """Return the refused and the allowed domains of the operator's file.

    The file may be replaced while the service runs. An unreadable one is logged and counts as
    empty: it must not stop sign-ups.
    """
    if not settings.DISPOSABLE_DOMAINS_FILE:
        return frozenset(), frozenset()
    path = Path(settings.DISPOSABLE_DOMAINS_FILE)
    try:
        return read_domain_lists(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        logger.error("DISPOSABLE_DOMAINS_FILE cannot be read: %s", type(error).__name__)
        return frozenset(), frozenset()


@lru_cache(maxsize=1)
def read_domain_lists(path: Path, _modified_ns: int) -> tuple[frozenset[str], frozenset[str]]:
    """Parse one domain a line; a leading minus allows the domain, # starts a comment."""
    lines = [line.partition("#")[0].strip().lower() for line in path.read_text().splitlines()]
    allowed = {line[1:].strip() for line in lines if line.startswith("-")}
    return frozenset(line for line in lines if line[:1] not in {"", "-"}), frozenset(allowed)
