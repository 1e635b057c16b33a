"""The sources that there are, and how this site asks each of them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from functools import cache
from typing import Any

from django.conf import settings

from papers.sources import Source, http
from papers.sources.arxiv import Arxiv
from papers.sources.arxiv_oai import ArxivOai
from papers.sources.arxiv_rss import ArxivRss
from papers.sources.github import GitHub
from papers.sources.huggingface import HuggingFace
from papers.sources.openalex import OpenAlex
from papers.sources.pacing import SharedTurns
from papers.sources.semanticscholar import SemanticScholar


class UnknownSource(Exception):
    """No source has that name; one sentence says which have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A source as this site knows it: the settings with its address and key, and how often."""

    kind: type[Source]
    address: str
    every: timedelta
    # Of a source that takes one; how it is sent, the source says.
    key: str = ""

    def credentials(self) -> dict[str, Any]:
        key = getattr(settings, self.key) if self.key else ""
        return self.kind.credentials(key) if key else {}  # type: ignore[attr-defined]

    def turns(self) -> SharedTurns | None:
        """Whom it waits with, if there must be time between two questions of all our workers."""
        name, gap = getattr(self.kind, "turns", ("", timedelta()))
        return SharedTurns(name=name, title=self.kind.title, gap=gap) if name else None


SOURCES = {
    # Several times a day: one poll in the morning misses a third of the day's later list.
    "huggingface": Registered(
        kind=HuggingFace, address="HUGGINGFACE_URL", every=timedelta(hours=3)
    ),
    "arxiv": Registered(kind=Arxiv, address="ARXIV_URL", every=timedelta(hours=6)),
    "arxiv-rss": Registered(kind=ArxivRss, address="ARXIV_RSS_URL", every=timedelta(hours=6)),
    "arxiv-oai": Registered(kind=ArxivOai, address="ARXIV_OAI_URL", every=timedelta(hours=12)),
    "semanticscholar": Registered(
        kind=SemanticScholar,
        address="SEMANTIC_SCHOLAR_URL",
        key="SEMANTIC_SCHOLAR_KEY",
        every=timedelta(days=1),
    ),
    "openalex": Registered(
        kind=OpenAlex, address="OPENALEX_URL", key="OPENALEX_KEY", every=timedelta(days=1)
    ),
    "github": Registered(
        kind=GitHub, address="GITHUB_URL", key="GITHUB_TOKEN", every=timedelta(days=1)
    ),
}
# Those that say what people put forward; an edition waits for them.
LISTINGS = {"huggingface"}
# Those that can be searched, and those that are only asked for categories.
SEARCHABLE = {"huggingface", "arxiv"}
BY_CATEGORY = {"arxiv-rss", "arxiv-oai"}


def source_named(name: str, *, patience: float = http.PATIENCE) -> Source:
    """The source, asking as the operator's site."""
    if name not in SOURCES:
        raise UnknownSource(f"There is no source {name!r}. Known: {', '.join(SOURCES)}.")
    source = SOURCES[name]
    client = http.Client(
        getattr(settings, source.address),
        title=source.kind.title,
        user_agent=user_agent(),
        patience=patience,
        turns=source.turns(),
        **source.credentials(),
    )
    return source.kind(client)


def used() -> dict[str, Registered]:
    return {name: SOURCES[name] for name in settings.SOURCES if name in SOURCES}


@cache
def user_agent() -> str:
    """Who asks, so that a source can write before it blocks."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    version = project["project"]["version"]
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return f"trending-papers/{version} (+{settings.SITE_URL}; mailto:{address})"
