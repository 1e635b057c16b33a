"""The list of readers as CSV, for another service or for import_subscribers: page by page."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Protocol

from subscribers.models import Follow, Preferences, Subscriber
from subscribers.transfer.formats import escape_formula
from subscribers.transfer.importing import (
    ATTITUDE_BY_COLUMN,
    COLUMNS,
    FOLLOW_PARSERS,
    PREFERENCE_PARSERS,
)

# Beside what an import reads: where they stand, and since when.
STATUS_COLUMNS = ("status", "left_reason", "left_at")
CSV_HEADER = (COLUMNS[0], *STATUS_COLUMNS, *COLUMNS[1:])
FOLLOW_KIND_BY_COLUMN = dict(
    zip(
        FOLLOW_PARSERS,
        [Follow.FollowKind.CATEGORY, Follow.FollowKind.AUTHOR, Follow.FollowKind.KEYWORD],
        strict=True,
    )
)
# Readers in one query.
EXPORT_PAGE_SIZE = 1000


class Writable(Protocol):
    def write(self, text: str, /) -> Any: ...


def write_csv(file: Writable, *, status: str = "") -> int:
    """Everybody, or those of one status; returns how many."""
    table, count = csv.writer(file), 0
    table.writerow(CSV_HEADER)
    for subscriber in iter_subscribers(status):
        line = subscriber_row(subscriber)
        table.writerow([escape_formula(line.get(name, "")) for name in CSV_HEADER])
        count += 1
    return count


def iter_subscribers(status: str) -> Iterator[Subscriber]:
    mine = Subscriber.objects.order_by("pk").select_related("preferences")
    if status:
        mine = mine.filter(status=status)
    mine = mine.prefetch_related("consents", "follows", "preferences__topic_choices__topic")
    last = 0
    while page := list(mine.filter(pk__gt=last)[:EXPORT_PAGE_SIZE]):
        yield from page
        last = page[-1].pk


def subscriber_row(subscriber: Subscriber) -> dict[str, str]:
    """What a line says, by the name of its column."""
    proofs = sorted(subscriber.consents.all(), key=lambda each: (bool(each.confirmed_at), each.pk))
    proof = proofs[-1] if proofs else None
    line = {
        "email": subscriber.email,
        "status": subscriber.status,
        "left_reason": subscriber.left_reason,
        "left_at": subscriber.left_at,
        "asked_at": proof.asked_at if proof else None,
        "confirmed_at": (proof and proof.confirmed_at) or subscriber.confirmed_at,
    }
    wanted = getattr(subscriber, "preferences", None)
    line |= preference_columns(wanted) if wanted else {}
    return {
        name: format_cell(value) for name, value in {**line, **follow_columns(subscriber)}.items()
    }


def preference_columns(preferences: Preferences) -> dict[str, Any]:
    slugs: defaultdict[str, list[str]] = defaultdict(list)
    for row in preferences.topic_choices.all():
        slugs[row.attitude].append(row.topic.slug)
    return {
        **{
            column: " ".join(sorted(slugs[attitude]))
            for column, attitude in ATTITUDE_BY_COLUMN.items()
        },
        **{name: getattr(preferences, name) for name in ("timezone", "hour", *PREFERENCE_PARSERS)},
    }


def follow_columns(subscriber: Subscriber) -> dict[str, str]:
    """A ; after each: "Noether, Emmy" has a comma and is one person."""
    rows = sorted(subscriber.follows.all(), key=lambda row: row.pk)
    return {
        column: " ".join(f"{row.label};" for row in rows if row.kind == kind)
        for column, kind in FOLLOW_KIND_BY_COLUMN.items()
    }


def format_cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
