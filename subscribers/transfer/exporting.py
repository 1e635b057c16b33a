"""Export subscribers as CSV, for another service or for `import_subscribers`, in pages."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Protocol

from subscribers.models import Follow, Preferences, Subscriber
from subscribers.transfer.formats import escape_formula
from subscribers.transfer.import_rows import (
    ATTITUDE_BY_COLUMN,
    COLUMNS,
    FOLLOW_PARSERS,
    PREFERENCE_PARSERS,
)

# Columns that an import only uses to skip inactive subscribers.
STATUS_COLUMNS = ("status", "left_reason", "left_at")
CSV_HEADER = (COLUMNS[0], *STATUS_COLUMNS, *COLUMNS[1:])
FOLLOW_KIND_BY_COLUMN = dict(
    zip(
        FOLLOW_PARSERS,
        [Follow.FollowKind.CATEGORY, Follow.FollowKind.AUTHOR, Follow.FollowKind.KEYWORD],
        strict=True,
    )
)
# Subscribers in one query.
EXPORT_PAGE_SIZE = 1000


class Writable(Protocol):
    def write(self, text: str, /) -> Any: ...


def write_csv(file: Writable, *, status: str = "") -> int:
    """Write a header and one line per subscriber; return the number of subscribers.

    A status restricts the export to it. Cost: five queries per page of EXPORT_PAGE_SIZE.
    """
    writer, count = csv.writer(file), 0
    writer.writerow(CSV_HEADER)
    for subscriber in iter_subscribers(status):
        row = subscriber_row(subscriber)
        writer.writerow([escape_formula(row.get(column, "")) for column in CSV_HEADER])
        count += 1
    return count


def iter_subscribers(status: str) -> Iterator[Subscriber]:
    subscribers = Subscriber.objects.order_by("pk").select_related("preferences")
    if status:
        subscribers = subscribers.filter(status=status)
    subscribers = subscribers.prefetch_related(
        "consents", "follows", "preferences__topic_choices__topic"
    )
    last_pk = 0
    while page := list(subscribers.filter(pk__gt=last_pk)[:EXPORT_PAGE_SIZE]):
        yield from page
        last_pk = page[-1].pk


def subscriber_row(subscriber: Subscriber) -> dict[str, str]:
    """Return the cells of a subscriber by column, with the newest confirmed consent if any.

    A subscriber without preferences has no cells for them.
    """
    consents = sorted(
        subscriber.consents.all(), key=lambda consent: (bool(consent.confirmed_at), consent.pk)
    )
    consent = consents[-1] if consents else None
    values = {
        "email": subscriber.email,
        "status": subscriber.status,
        "left_reason": subscriber.left_reason,
        "left_at": subscriber.left_at,
        "asked_at": consent.asked_at if consent else None,
        "confirmed_at": (consent and consent.confirmed_at) or subscriber.confirmed_at,
    }
    preferences = getattr(subscriber, "preferences", None)
    if preferences:
        values |= preference_columns(preferences)
    values |= follow_columns(subscriber)
    return {column: format_cell(value) for column, value in values.items()}


def preference_columns(preferences: Preferences) -> dict[str, Any]:
    slugs: defaultdict[str, list[str]] = defaultdict(list)
    for choice in preferences.topic_choices.all():
        slugs[choice.attitude].append(choice.topic.slug)
    return {
        **{
            column: " ".join(sorted(slugs[attitude]))
            for column, attitude in ATTITUDE_BY_COLUMN.items()
        },
        **{name: getattr(preferences, name) for name in ("timezone", "hour", *PREFERENCE_PARSERS)},
    }


def follow_columns(subscriber: Subscriber) -> dict[str, str]:
    """Return the labels of follows by column, each ended by a semicolon.

    The semicolon stays even after a single label: without it "Noether, Emmy" would be split.
    """
    follows = sorted(subscriber.follows.all(), key=lambda follow: follow.pk)
    return {
        column: " ".join(f"{follow.label};" for follow in follows if follow.kind == kind)
        for column, kind in FOLLOW_KIND_BY_COLUMN.items()
    }


def format_cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
