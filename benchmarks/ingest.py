"""How fast papers are taken in, and how many queries that takes: they grow with batches."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta

import benchmarks
from papers.catalogue import upsert
from papers.ingest import pipeline
from papers.sources import Record
from papers.sources.http import Client
from papers.sources.huggingface import HuggingFace

NOW = datetime(2026, 5, 12, 6, tzinfo=UTC)
FEW, MANY = 1_000, 10_000
TEXT = "We study language models and robots. " * 30


def body(number: int) -> bytes:
    """An answer with that many papers, as Hugging Face gives it."""
    return json.dumps([item(each) for each in range(number)]).encode()


def item(number: int) -> dict[str, object]:
    day = date(2026, 5, 12) - timedelta(days=number % 200)
    return {
        "title": f"A study of $\\alpha$-things, part {number}",
        "numComments": number % 7,
        "paper": {
            "id": f"{2401 + number // 5000}.{number % 5000:05d}",
            "title": f"A study of things, part {number}",
            "summary": f"{TEXT} Part {number}.",
            "authors": [{"name": f"Ada Lovelace {name}"} for name in range(6)],
            "publishedAt": f"{day - timedelta(days=1)}T00:00:00.000Z",
            "submittedOnDailyAt": f"{day}T04:00:00.000Z",
            "upvotes": number % 90,
            "ai_keywords": ["language models", "robots", "agents"],
            "githubRepo": f"https://github.com/example/part-{number}",
            "githubStars": number % 500,
        },
    }


def take_in(records: tuple[Record, ...]) -> tuple[int, float]:
    """Queries and seconds."""
    queries = benchmarks.Queries()
    with queries.counted():
        start = time.perf_counter()
        taken = pipeline.take_in("huggingface", records, observed_at=NOW)
        seconds = time.perf_counter() - start
    assert taken.papers == len(records)
    return queries.number, seconds


def main() -> None:
    source = HuggingFace(Client("http://localhost", title="", user_agent=""))
    start = time.perf_counter()
    records = source.parse(body(MANY)).records
    assert len(records) == MANY
    print(f"{MANY / (time.perf_counter() - start):,.0f} records/s read from JSON")
    for number in (FEW, MANY):
        with benchmarks.empty_database():
            for what in ("new", "known, nothing changed"):
                queries, seconds = take_in(records[:number])
                print(
                    f"{number:6,} records, {what}: {number / seconds:,.0f} records/s,"
                    f" {queries} queries, {queries / number * upsert.BATCH:.1f} for each"
                    f" batch of {upsert.BATCH}",
                    flush=True,
                )
