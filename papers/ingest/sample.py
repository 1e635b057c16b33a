"""The bundled sample: real papers with recent dates, for a machine without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from papers.sources import Record

SAMPLE_FILE = Path(__file__).with_name("sample.json")


def build_records(today: date) -> list[Record]:
    """Return the papers as a source would report them today."""
    return [build_record(row, today) for row in load_rows()]


def build_observations(today: date) -> Iterator[tuple[datetime, list[Record]]]:
    """Yield the metrics of yesterday's and today's midnight, so that papers have a gain."""
    midnight = datetime.combine(today, time(), tzinfo=UTC)
    pairs = [(row["upvotes_before"], build_record(row, today)) for row in load_rows()]
    earlier = [replace(record, upvotes=upvotes) for upvotes, record in pairs if upvotes is not None]
    yield midnight - timedelta(days=1), earlier
    yield midnight, [record for _, record in pairs]


@cache
def load_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(SAMPLE_FILE.read_text(encoding="utf-8"))["papers"]
    return rows


def build_record(row: dict[str, Any], today: date) -> Record:
    listed_on = today - timedelta(days=row["days_ago"])
    return Record(
        arxiv_id=row["arxiv_id"],
        title=row["title"],
        abstract=row["abstract"],
        authors=tuple(row["authors"]),
        organization=row.get("organization", ""),
        published_on=min(date.fromisoformat(row["published_on"]), listed_on),
        listed_on=listed_on,
        code_url=row.get("code_url", ""),
        upvotes=row["upvotes"],
        comments=row["comments"],
        stars=row.get("stars"),
    )
