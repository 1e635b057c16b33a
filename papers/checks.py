"""System checks of the SOURCES setting: report mistakes at start-up, not at the first poll."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from papers.ingest import registry


@register
def check_sources_exist(**_: Any) -> list[CheckMessage]:
    unknown = sorted(set(settings.SOURCES) - set(registry.SOURCES))
    if not unknown:
        return []
    return [
        Error(
            f"SOURCES contains an unknown source: {unknown[0]!r}.",
            hint=f"Known sources: {', '.join(registry.SOURCES)}.",
            id="papers.E001",
        )
    ]


@register
def check_listing_source_enabled(**_: Any) -> list[CheckMessage]:
    if registry.LISTING_SOURCES & set(settings.SOURCES):
        return []
    return [
        Warning(
            "No source in SOURCES lists papers that people upvote, so nothing will trend.",
            hint=f"Add one of: {', '.join(sorted(registry.LISTING_SOURCES))}.",
            id="papers.W001",
        )
    ]
