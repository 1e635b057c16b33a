"""Whom to believe when several sources tell of one paper, field by field (pure: no Django).

The same tellings end in the same paper, in whatever order they come: each field remembers who told
it and as of when, and gives way only to a source that is believed more, or to the same source's
later word. So an old answer that is read again today takes nothing back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The most believed first. Authors write arXiv's metadata themselves; the others copy it.
BELIEVED = (
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
BELIEVED_ABOUT = {
    "code_url": ("huggingface", *(name for name in BELIEVED if name != "huggingface")),
    "project_url": ("huggingface", *(name for name in BELIEVED if name != "huggingface")),
}
# A paper that is listed again is not new, and a source may tell the day of a revision.
EARLIEST = frozenset({"published_on", "listed_on"})
# True as soon as one source says so: a publisher's retraction is no news to arXiv.
ANY = frozenset({"withdrawn"})

# Field to who told it and when (seconds since 1970); of those in ANY, by source what was said.
Tellers = dict[str, Any]


def merge(
    known: Mapping[str, Any], tellers: Tellers, news: Mapping[str, Any], *, source: str, at: int
) -> tuple[dict[str, Any], Tellers]:
    """The fields that the news changes, and who has told what by now."""
    changed: dict[str, Any] = {}
    told = dict(tellers)
    for field, value in news.items():
        if field in EARLIEST:
            new = value if known[field] is None else min(known[field], value)
        elif field in ANY:
            told[field] = heard(told.get(field, {}), value, source=source, at=at)
            new = any(said for _, said in told[field].values())
        elif is_believed(field, value, known[field], told.get(field), source=source, at=at):
            told[field] = [source, at]
            new = value
        else:
            continue
        if new != known[field]:
            changed[field] = new
    return changed, told


def is_believed(
    field: str, value: Any, known: Any, told: list[Any] | None, *, source: str, at: int
) -> bool:
    if not known or told is None:
        return True
    ours, theirs = (rank(field, source), at), (rank(field, told[0]), told[1])
    # At the same moment by the same source: the longer one, so that the order does not matter.
    return ours > theirs or (
        ours == theirs and (len(value), repr(value)) > (len(known), repr(known))
    )


def heard(
    said: Mapping[str, list[Any]], value: Any, *, source: str, at: int
) -> dict[str, list[Any]]:
    """What each source says, this one's by its latest word."""
    latest = max([at, value], said.get(source, [at, value]))
    return {**said, source: latest}


def rank(field: str, source: str) -> int:
    """The higher the more believed; a source that is not named is believed least."""
    order = BELIEVED_ABOUT.get(field, BELIEVED)
    return len(order) - order.index(source) if source in order else 0
