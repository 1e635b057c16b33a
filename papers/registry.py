"""The sources that there are, and how this site asks each of them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from functools import cache

from django.conf import settings

from papers import turns
from papers.sources import Source, http
from papers.sources.huggingface import HuggingFace


class UnknownSource(Exception):
    """No source has that name; one sentence says which have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A source as this site knows it."""

    kind: type[Source]
    # The settings that hold its address and, if it takes one, a key.
    address: str
    key: str = ""
    # The header that carries the key, and what stands before it there.
    key_header: str = ""
    key_prefix: str = ""
    # How often it is asked.
    every: timedelta
    # Whom it waits with for its turns, and how long lies between two of them.
    turns: tuple[str, timedelta] | None = None


SOURCES = {
    # Several times a day: one poll in the morning misses a third of the day's later list.
    "huggingface": Registered(
        kind=HuggingFace, address="HUGGINGFACE_URL", every=timedelta(hours=3)
    ),
}
# Those that say what people put forward; an edition waits for them.
LISTINGS = {"huggingface"}


def source_named(name: str, *, patience: float = http.PATIENCE) -> Source:
    """The source, asking as the operator's site."""
    if name not in SOURCES:
        raise UnknownSource(f"There is no source {name!r}. Known: {', '.join(SOURCES)}.")
    source = SOURCES[name]
    key = getattr(settings, source.key) if source.key else ""
    client = http.Client(
        getattr(settings, source.address),
        title=source.kind.title,
        user_agent=user_agent(),
        patience=patience,
        turns=turns_of(source),
        headers={source.key_header: source.key_prefix + key} if source.key_header and key else None,
    )
    return source.kind(client)


def used() -> dict[str, Registered]:
    return {name: SOURCES[name] for name in settings.SOURCES if name in SOURCES}


def turns_of(source: Registered) -> http.Turns | None:
    if source.turns is None:
        return None
    name, gap = source.turns
    return turns.SharedTurns(name=name, title=source.kind.title, gap=gap)


@cache
def user_agent() -> str:
    """Who asks, so that a source can write before it blocks."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    version = project["project"]["version"]
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return f"trending-papers/{version} (+{settings.SITE_URL}; mailto:{address})"
