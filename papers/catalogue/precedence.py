"""Whom to believe when several sources tell of one paper, field by field (pure: no Django).

The same tellings end in the same paper, in whatever order they come: each field remembers who told
it and as of when, and gives way only to a source that is believed more, or to the same source's
later word. So an old answer that is read again today takes nothing back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The most believed first. Authors write arXiv's metadata themselves; the others copy it.
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
# Where somebody else knows better: the community names the repository that belongs to a paper.
FIELD_SOURCE_PRIORITY = {
    "code_url": ("huggingface", *(name for name in SOURCE_PRIORITY if name != "huggingface")),
    "project_url": ("huggingface", *(name for name in SOURCE_PRIORITY if name != "huggingface")),
}
# A paper that is listed again is not new, and a source may tell the day of a revision.
MIN_WINS_FIELDS = frozenset({"published_on", "listed_on"})
# True as soon as one source says so: a publisher's retraction is no news to arXiv.
ANY_TRUE_FIELDS = frozenset({"withdrawn"})

# Field to who told it and when (seconds since 1970); of those in ANY, by source what was said.
Provenance = dict[str, Any]


def merge_by_priority(
    current: Mapping[str, Any],
    provenance: Provenance,
    incoming: Mapping[str, Any],
    *,
    source: str,
    reported_at: int,
) -> tuple[dict[str, Any], Provenance]:
    """The fields that the news changes, and who has told what by now."""
    changed: dict[str, Any] = {}
    told = dict(provenance)
    for field, value in incoming.items():
        if field in MIN_WINS_FIELDS:
            new = value if current[field] is None else min(current[field], value)
        elif field in ANY_TRUE_FIELDS:
            told[field] = record_source_vote(
                told.get(field, {}), value, source=source, reported_at=reported_at
            )
            new = any(said for _, said in told[field].values())
        elif supersedes(
            field, value, current[field], told.get(field), source=source, reported_at=reported_at
        ):
            told[field] = [source, reported_at]
            new = value
        else:
            continue
        if new != current[field]:
            changed[field] = new
    return changed, told


def supersedes(
    field: str,
    value: Any,
    current: Any,
    provenance_entry: list[Any] | None,
    *,
    source: str,
    reported_at: int,
) -> bool:
    if not current or provenance_entry is None:
        return True
    ours, theirs = (
        (priority(field, source), reported_at),
        (priority(field, provenance_entry[0]), provenance_entry[1]),
    )
    # At the same moment by the same source: the longer one, so that the order does not matter.
    return ours > theirs or (
        ours == theirs and (len(value), repr(value)) > (len(current), repr(current))
    )


def record_source_vote(
    votes: Mapping[str, list[Any]], value: Any, *, source: str, reported_at: int
) -> dict[str, list[Any]]:
    """What each source says, this one's by its latest word."""
    latest = max([reported_at, value], votes.get(source, [reported_at, value]))
    return {**votes, source: latest}


def priority(field: str, source: str) -> int:
    """The higher the more believed; a source that is not named is believed least."""
    order = FIELD_SOURCE_PRIORITY.get(field, SOURCE_PRIORITY)
    return len(order) - order.index(source) if source in order else 0
