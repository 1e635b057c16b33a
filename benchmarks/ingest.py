"""Measure the speed of imports, and their queries per batch."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta

import benchmarks
from papers.catalogue import upsert
from papers.ingest import pipeline
from papers.sources import Record
from papers.sources.http import SourceClient
from papers.sources.huggingface import HuggingFace

NOW = datetime(2026, 5, 12, 6, tzinfo=UTC)
SMALL_RECORD_COUNT, LARGE_RECORD_COUNT = 1_000, 10_000
SAMPLE_ABSTRACT = "We study language models and robots. " * 30


def response_body(count: int) -> bytes:
    """Return a response of Hugging Face with this many papers."""
    return json.dumps([response_item(index) for index in range(count)]).encode()


def response_item(index: int) -> dict[str, object]:
    day = date(2026, 5, 12) - timedelta(days=index % 200)
    return {
        "title": f"A study of $\\alpha$-things, part {index}",
        "numComments": index % 7,
        "paper": {
            "id": f"{2401 + index // 5000}.{index % 5000:05d}",
            "title": f"A study of things, part {index}",
            "summary": f"{SAMPLE_ABSTRACT} Part {index}.",
            "authors": [{"name": f"Ada Lovelace {name}"} for name in range(6)],
            "publishedAt": f"{day - timedelta(days=1)}T00:00:00.000Z",
            "submittedOnDailyAt": f"{day}T04:00:00.000Z",
            "upvotes": index % 90,
            "ai_keywords": ["language models", "robots", "agents"],
            "githubRepo": f"https://github.com/example/part-{index}",
            "githubStars": index % 500,
        },
    }


def measure_ingest(records: tuple[Record, ...]) -> tuple[int, float]:
    """Store the records; return the queries and seconds that took."""
    queries = benchmarks.QueryCounter()
    with queries.counting():
        start = time.perf_counter()
        result = pipeline.store_records("huggingface", records, observed_at=NOW)
        seconds = time.perf_counter() - start
    assert result.paper_count == len(records)
    return queries.count, seconds


def main() -> None:
    source = HuggingFace(SourceClient("http://localhost", title="", user_agent=""))
    start = time.perf_counter()
    records = source.parse(response_body(LARGE_RECORD_COUNT)).records
    assert len(records) == LARGE_RECORD_COUNT
    print(f"{LARGE_RECORD_COUNT / (time.perf_counter() - start):,.0f} records/s parsed from JSON")
    for count in (SMALL_RECORD_COUNT, LARGE_RECORD_COUNT):
        with benchmarks.empty_database():
            for case in ("new", "unchanged"):
                queries, seconds = measure_ingest(records[:count])
                print(
                    f"{count:6,} records, {case}: {count / seconds:,.0f} records/s,"
                    f" {queries} queries, {queries / count * upsert.UPSERT_BATCH_SIZE:.1f} per"
                    f" batch of {upsert.UPSERT_BATCH_SIZE}",
                    flush=True,
                )
