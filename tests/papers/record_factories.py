"""Records for tests, with plain defaults."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from papers.catalogue import upsert
from papers.catalogue.upsert import UpsertResult
from papers.sources import Record
from tests.factories import NOW, TODAY

_numbers = itertools.count(1)
_hours = itertools.count(1)


def upsert_records(
    records: Iterable[Record], *, source: str = "huggingface", observed_at: datetime | None = None
) -> UpsertResult:
    """Store the records; without `observed_at`, each call is an hour later than the one before."""
    moment = observed_at or NOW + timedelta(hours=next(_hours))
    return upsert.upsert_records(records, source=source, observed_at=moment)


def record(**fields: Any) -> Record:
    """Return a paper listed yesterday with ten upvotes, and with unknown comments and stars."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "arxiv_id": f"2604.{number:05d}",
        "title": f"A robot, part {number}",
        "abstract": "It moves.",
        "authors": ("Ada Lovelace",),
        "published_on": TODAY - timedelta(days=2),
        "listed_on": TODAY - timedelta(days=1),
        "upvotes": 10,
    }
    return Record(**defaults | fields)
