"""The list of readers as CSV, for another service or for import_subscribers: page by page."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Protocol

from subscribers.models import Follow, Preferences, Subscriber
from subscribers.transfer.formats import guarded
from subscribers.transfer.importing import COLUMNS, FOLLOWS, SETTINGS, TOPICS

# Beside what an import reads: where they stand, and since when.
STANDING = ("status", "left_reason", "left_at")
HEADER = (COLUMNS[0], *STANDING, *COLUMNS[1:])
KINDS = dict(
    zip(FOLLOWS, [Follow.Kind.CATEGORY, Follow.Kind.AUTHOR, Follow.Kind.KEYWORD], strict=True)
)
# Readers in one query.
PAGE = 1000


class Writable(Protocol):
    def write(self, text: str, /) -> Any: ...


def write(file: Writable, *, status: str = "") -> int:
    """Everybody, or those of one status; returns how many."""
    table, count = csv.writer(file), 0
    table.writerow(HEADER)
    for subscriber in readers(status):
        line = said(subscriber)
        table.writerow([guarded(line.get(name, "")) for name in HEADER])
        count += 1
    return count


def readers(status: str) -> Iterator[Subscriber]:
    mine = Subscriber.objects.order_by("pk").select_related("preferences")
    if status:
        mine = mine.filter(status=status)
    mine = mine.prefetch_related("consents", "follows", "preferences__topic_choices__topic")
    last = 0
    while page := list(mine.filter(pk__gt=last)[:PAGE]):
        yield from page
        last = page[-1].pk


def said(subscriber: Subscriber) -> dict[str, str]:
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
    line |= chosen(wanted) if wanted else {}
    return {name: written(value) for name, value in {**line, **followed(subscriber)}.items()}


def chosen(wanted: Preferences) -> dict[str, Any]:
    slugs: defaultdict[str, list[str]] = defaultdict(list)
    for row in wanted.topic_choices.all():
        slugs[row.attitude].append(row.topic.slug)
    return {
        **{column: " ".join(sorted(slugs[attitude])) for column, attitude in TOPICS.items()},
        **{name: getattr(wanted, name) for name in ("timezone", "hour", *SETTINGS)},
    }


def followed(subscriber: Subscriber) -> dict[str, str]:
    """A ; after each: "Noether, Emmy" has a comma and is one person."""
    rows = sorted(subscriber.follows.all(), key=lambda row: row.pk)
    return {
        column: " ".join(f"{row.label};" for row in rows if row.kind == kind)
        for column, kind in KINDS.items()
    }


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
