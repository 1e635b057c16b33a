"""The registry of sources, and how this site polls each of them."""

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
from papers.sources.pacing import SourcePacer
from papers.sources.semanticscholar import SemanticScholar


class UnknownSourceError(Exception):
    """There is no source of that name; the message lists those that exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """A source's class, its settings and its poll interval."""

    source_class: type[Source]
    url_setting: str
    poll_interval: timedelta
    # Only of a source that accepts a key; its class knows how to send it.
    key_setting: str = ""

    def credentials(self) -> dict[str, Any]:
        key = getattr(settings, self.key_setting) if self.key_setting else ""
        return self.source_class.credentials(key) if key else {}  # type: ignore[attr-defined]

    def pacer(self) -> SourcePacer | None:
        """Return what paces the requests of all workers; None for a source without a limit."""
        name, min_interval = getattr(self.source_class, "pacing", ("", timedelta()))
        if not name:
            return None
        return SourcePacer(name=name, title=self.source_class.title, min_interval=min_interval)


SOURCES = {
    # Several polls a day: one in the morning would miss a third of that day's list.
    "huggingface": SourceConfig(
        source_class=HuggingFace, url_setting="HUGGINGFACE_URL", poll_interval=timedelta(hours=3)
    ),
    "arxiv": SourceConfig(
        source_class=Arxiv, url_setting="ARXIV_URL", poll_interval=timedelta(hours=6)
    ),
    "arxiv-rss": SourceConfig(
        source_class=ArxivRss, url_setting="ARXIV_RSS_URL", poll_interval=timedelta(hours=6)
    ),
    "arxiv-oai": SourceConfig(
        source_class=ArxivOai, url_setting="ARXIV_OAI_URL", poll_interval=timedelta(hours=12)
    ),
    "semanticscholar": SourceConfig(
        source_class=SemanticScholar,
        url_setting="SEMANTIC_SCHOLAR_URL",
        key_setting="SEMANTIC_SCHOLAR_KEY",
        poll_interval=timedelta(days=1),
    ),
    "openalex": SourceConfig(
        source_class=OpenAlex,
        url_setting="OPENALEX_URL",
        key_setting="OPENALEX_KEY",
        poll_interval=timedelta(days=1),
    ),
    "github": SourceConfig(
        source_class=GitHub,
        url_setting="GITHUB_URL",
        key_setting="GITHUB_TOKEN",
        poll_interval=timedelta(days=1),
    ),
}
# Sources that list new papers every day; an edition waits for them.
LISTING_SOURCES = {"huggingface"}
# Sources that can be searched, and sources that are polled by arXiv category.
SEARCHABLE = {"huggingface", "arxiv"}
CATEGORY_SOURCES = {"arxiv-rss", "arxiv-oai"}


def get_source(name: str, *, timeout_seconds: float = http.INTERACTIVE_TIMEOUT_SECONDS) -> Source:
    """Return a source with a client that is configured by this site's settings.

    Raise `UnknownSourceError` if there is no source of that name.
    """
    if name not in SOURCES:
        raise UnknownSourceError(f"There is no source {name!r}. Known: {', '.join(SOURCES)}.")
    source = SOURCES[name]
    client = http.SourceClient(
        getattr(settings, source.url_setting),
        title=source.source_class.title,
        user_agent=user_agent(),
        timeout_seconds=timeout_seconds,
        pacer=source.pacer(),
        **source.credentials(),
    )
    return source.source_class(client)


def enabled_sources() -> dict[str, SourceConfig]:
    return {name: SOURCES[name] for name in settings.SOURCES if name in SOURCES}


@cache
def user_agent() -> str:
    """Name this site and its operator, so that a source can write to them before it blocks us."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    version = project["project"]["version"]
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return f"trending-papers/{version} (+{settings.SITE_URL}; mailto:{address})"
