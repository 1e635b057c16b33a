"""Throw-away mailboxes: known domains, and those that an operator adds to them or takes out."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from disposable_email_domains import blocklist
from django.conf import settings

from subscribers.addresses import InvalidAddressError

logger = logging.getLogger(__name__)

REFUSAL_MESSAGE = (
    "That mailbox is thrown away soon, and a digest comes every day. Please give an address that"
    " you keep; you can leave with one click."
)


def reject_disposable(email: str) -> None:
    """BadAddress for a throw-away mailbox, where the operator wants that."""
    if settings.REFUSE_DISPOSABLE and is_disposable(email.rpartition("@")[2]):
        raise InvalidAddressError(REFUSAL_MESSAGE)


def is_disposable(domain: str) -> bool:
    """Whether it, or a domain that it is part of, is on a list; the operator's word is the last."""
    added, taken_out = operator_lists()
    return any(
        name not in taken_out and (name in added or name in blocklist)
        for name in parent_domains(domain)
    )


def parent_domains(domain: str) -> list[str]:
    """a.b.org, b.org: the last label alone is nobody's mailbox."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]


def operator_lists() -> tuple[frozenset[str], frozenset[str]]:
    """The operator's file as it is now: it may be replaced while the service runs."""
    if not settings.DISPOSABLE_DOMAINS_FILE:
        return frozenset(), frozenset()
    path = Path(settings.DISPOSABLE_DOMAINS_FILE)
    try:
        return read_domain_lists(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        logger.error("the list of throw-away domains cannot be read: %s", type(error).__name__)
        return frozenset(), frozenset()


@lru_cache(maxsize=1)
def read_domain_lists(path: Path, _modified_ns: int) -> tuple[frozenset[str], frozenset[str]]:
    """Domains to refuse, and those after a minus not to; one a line, # begins a remark."""
    lines = [line.partition("#")[0].strip().lower() for line in path.read_text().splitlines()]
    taken_out = {line[1:].strip() for line in lines if line.startswith("-")}
    return frozenset(line for line in lines if line[:1] not in {"", "-"}), frozenset(taken_out)
