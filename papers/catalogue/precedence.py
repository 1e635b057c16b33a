"""Field-level source priority: which source's value wins (pure: no Django).

Guarantee: the same reports give the same paper, in whatever order they arrive. Each field records
its source and time (`field_sources`), and is replaced only by a source of higher priority or by a
later report of the same source. So reading an old response again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The highest priority first. Authors write arXiv's metadata themselves; the other sources copy it.
SOURCE_PRIORITY = (
    "arxiv",
    "arxiv-oai",
    "arxiv-rss",
    "huggingface",
    "openalex",
    "semanticscholar",
    "github",
    "import",
    "sample",
)
# Fields with an order of their own: the community reports which repository belongs to a paper.
FIELD_SOURCE_PRIORITY = {
    "code_url": ("huggingface", *(name for name in SOURCE_PRIORITY if name != "huggingface")),
    "project_url": ("huggingface", *(name for name in SOURCE_PRIORITY if name != "huggingface")),
}
# The earliest date wins: a paper that is listed again is not new, and a source may report the date
# of a revision.
MIN_WINS_FIELDS = frozenset({"published_on", "listed_on"})
# True if any source reports it: arXiv does not know of a publisher's retraction.
ANY_TRUE_FIELDS = frozenset({"withdrawn"})

# Field name to [source, reported_at (seconds since 1970)]; for `ANY_TRUE_FIELDS`, field name to
# {source: [reported_at, value]}.
Provenance = dict[str, Any]


def merge_by_priority(
    current: Mapping[str, Any],
    provenance: Provenance,
    incoming: Mapping[str, Any],
    *,
    source: str,
    reported_at: int,
) -> tuple[dict[str, Any], Provenance]:
    """Return the values that change, and the new provenance of all fields; modify nothing."""
    changed: dict[str, Any] = {}
    merged_provenance = dict(provenance)
    for field, value in incoming.items():
        if field in MIN_WINS_FIELDS:
            new = value if current[field] is None else min(current[field], value)
        elif field in ANY_TRUE_FIELDS:
            claims = with_source_claim(
                merged_provenance.get(field, {}), value, source=source, reported_at=reported_at
            )
            merged_provenance[field] = claims
            new = any(claim for _, claim in claims.values())
        elif supersedes(
            field,
            value,
            current[field],
            merged_provenance.get(field),
            source=source,
            reported_at=reported_at,
        ):
            merged_provenance[field] = [source, reported_at]
            new = value
        else:
            continue
        if new != current[field]:
            changed[field] = new
    return changed, merged_provenance


def supersedes(
    field: str,
    value: Any,
    current: Any,
    provenance_entry: list[Any] | None,
    *,
    source: str,
    reported_at: int,
) -> bool:
    """Return whether a reported value takes precedence over the current one."""
    if not current or provenance_entry is None:
        return True
    current_source, current_reported_at = provenance_entry
    incoming_rank = (priority(field, source), reported_at)
    current_rank = (priority(field, current_source), current_reported_at)
    # Two values of one source at one moment: prefer the longer, so that the order does not matter.
    return incoming_rank > current_rank or (
        incoming_rank == current_rank and (len(value), repr(value)) > (len(current), repr(current))
    )


def with_source_claim(
    claims: Mapping[str, list[Any]], value: Any, *, source: str, reported_at: int
) -> dict[str, list[Any]]:
    """Return the claims with this source's latest one."""
    latest = max([reported_at, value], claims.get(source, [reported_at, value]))
    return {**claims, source: latest}


def priority(field: str, source: str) -> int:
    """Return the source's priority for a field, the highest number first; 0 if it is unknown."""
    order = FIELD_SOURCE_PRIORITY.get(field, SOURCE_PRIORITY)
    return len(order) - order.index(source) if source in order else 0
