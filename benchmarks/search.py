"""Measure the search among many papers, beside a plain `SELECT 1` in the same run.

On PostgreSQL, which is started for it, then on SQLite. `SEARCH_PAPERS=500000` is about what arXiv
has added in recent years. Milliseconds depend on the machine; compare the ratio.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.db import connection
from django.test import Client, override_settings
from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks import corpus
from benchmarks.search_database import build_database, disk_sizes
from papers.models import Paper, Topic
from papers.search import engine
from papers.search.query import parse_query
from papers.text.tokens import tokenize

DEFAULT_PAPER_COUNT, ROUNDS, QUERIES_PER_KIND = 20_000, 5, 5


@dataclass(frozen=True, slots=True)
class BenchmarkQuery:
    kind: str
    text: str


def main() -> None:
    paper_count = int(os.environ.get("SEARCH_PAPERS", DEFAULT_PAPER_COUNT))
    if connection.vendor == "sqlite" and "SEARCH_ON" not in os.environ:
        command = [sys.executable, "-m", "benchmarks", "search"]
        environment = {
            **os.environ,
            "SEARCH_ON": "postgresql",
            "SEARCH_PAPERS": str(paper_count),
        }
        servers = [sys.executable, "-m", "tests.servers", "--"]
        subprocess.run([*servers, *command], env=environment, check=True)
    with benchmarks.empty_database():
        measure(paper_count)


def measure(paper_count: int) -> None:
    patterns = corpus.load_patterns()
    start = time.perf_counter()
    build_database(corpus.generate_papers(paper_count, patterns))
    print(
        f"{connection.vendor}: {Paper.objects.count():,} papers of {len(patterns):,} patterns,"
        f" built in {time.perf_counter() - start:.0f} s; {', '.join(disk_sizes())}.",
        flush=True,
    )
    queries = build_queries(patterns)
    timings, baseline, result_counts = run_rounds(queries)
    print_table(queries, timings, result_counts)
    search_times = [timing for query_timings in timings.values() for timing in query_timings]
    print_summary(search_times, baseline)
    measure_pages()


def build_queries(patterns: Sequence[corpus.PaperPattern]) -> list[BenchmarkQuery]:
    """Return queries of every kind, from words of the papers themselves; the same each time."""
    rng = random.Random(corpus.SEED)
    texts = [tokenize(f"{pattern.title} . {' . '.join(pattern.sentences)}") for pattern in patterns]
    frequencies = Counter(token for text in texts for token in set(text) if token.isalpha())
    common = [token for token, _ in frequencies.most_common(40)]
    rare = sorted(
        token for token, count in frequencies.items() if 1 <= count <= 2 and len(token) > 4
    )
    titles = [tokenize(pattern.title) for pattern in patterns]
    title_starts = [title[:6] for title in titles if len(title) >= 6]
    title_pairs = Counter(pair for title in titles for pair in pairwise(title))
    phrases = [" ".join(pair) for pair, _ in title_pairs.most_common(30)]
    adjacent_pairs = {pair for text in texts for pair in pairwise(text)}
    authors = sorted({name.split()[-1] for pattern in patterns for name in pattern.authors})
    categories = sorted({name for pattern in patterns for name in pattern.categories})
    topic_counts = Counter(slug for pattern in patterns for slug in pattern.topics)
    slugs = [slug for slug, _ in topic_counts.most_common()]

    def unmatched_phrase() -> str:
        while pair := rng.sample(common, k=2):
            if tuple(pair) not in adjacent_pairs:
                return " ".join(pair)
        raise AssertionError

    kinds: dict[str, Callable[[], str]] = {
        "a common word": lambda: rng.choice(common[:20]),
        "a rare word": lambda: rng.choice(rare),
        "two common words": lambda: " ".join(rng.sample(common, k=2)),
        "three words of a title": lambda: " ".join(rng.sample(rng.choice(title_starts), k=3)),
        "six words of a title": lambda: " ".join(rng.choice(title_starts)),
        "a phrase": lambda: f'"{rng.choice(phrases)}"',
        "a phrase without matches": lambda: f'"{unmatched_phrase()}"',
        "with an excluded word": lambda: f"{rng.choice(common)} -{rng.choice(common[20:])}",
        "author:": lambda: f"author:{rng.choice(authors)}",
        "topic:": lambda: f"topic:{rng.choice(slugs)} {rng.choice(common)}",
        "topic: alone": lambda: f"topic:{rng.choice(slugs)}",
        "category:": lambda: f"category:{rng.choice(categories)} {rng.choice(common)}",
        "since:": lambda: f"{rng.choice(common)} since:{corpus.TODAY:%Y-%m}-05",
        "no results": lambda: f"{rng.choice(rare)} {rng.choice(rare)} xyzzy",
    }
    return [
        BenchmarkQuery(kind, build_text())
        for kind, build_text in kinds.items()
        for _ in range(QUERIES_PER_KIND)
    ]


def run_rounds(
    queries: Sequence[BenchmarkQuery],
) -> tuple[dict[BenchmarkQuery, list[float]], list[float], Counter[BenchmarkQuery]]:
    """Return milliseconds by query, milliseconds of a `SELECT 1` after each, and result counts."""
    timings: dict[BenchmarkQuery, list[float]] = defaultdict(list)
    baseline: list[float] = []
    result_counts: Counter[BenchmarkQuery] = Counter()
    order = list(queries)
    for turn in range(ROUNDS + 1):
        random.Random(turn).shuffle(order)
        for benchmark_query in order:
            start = time.perf_counter()
            result = engine.search(parse_query(benchmark_query.text))
            end = time.perf_counter()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.fetchall()
            if turn:  # The first round warms up.
                timings[benchmark_query].append(1e3 * (end - start))
                baseline.append(1e3 * (time.perf_counter() - end))
            result_counts[benchmark_query] = result.total
    return timings, baseline, result_counts


def print_table(
    queries: Sequence[BenchmarkQuery],
    timings: dict[BenchmarkQuery, list[float]],
    result_counts: Counter[BenchmarkQuery],
) -> None:
    table = Table(title="Milliseconds per search, by kind of query", title_justify="left")
    for name in ("query", "median", "max", "results", "slowest"):
        table.add_column(name, justify="left" if name in {"query", "slowest"} else "right")
    for kind in dict.fromkeys(query.kind for query in queries):
        of_kind = [query for query in queries if query.kind == kind]
        milliseconds = [timing for query in of_kind for timing in timings[query]]
        slowest = max(of_kind, key=lambda query: statistics.median(timings[query]))
        counts = sorted(result_counts[query] for query in of_kind)
        table.add_row(
            kind,
            f"{statistics.median(milliseconds):.1f}",
            f"{max(milliseconds):.1f}",
            f"{counts[0]:,}–{counts[-1]:,}",
            slowest.text,
        )
    Console(width=110).print(table)


def print_summary(search_times: Sequence[float], baseline_times: Sequence[float]) -> None:
    for name, values in (("search", search_times), ("SELECT 1", baseline_times)):
        print(
            f"{name}: median {statistics.median(values):.2f} ms, p95 {p95(values):.2f} ms,"
            f" max {max(values):.2f} ms ({len(values)} times)"
        )
    median_ratio = statistics.median(search_times) / statistics.median(baseline_times)
    p95_ratio = p95(search_times) / p95(baseline_times)
    print(
        f"search / SELECT 1: {median_ratio:.0f} at the median, {p95_ratio:.0f} at p95", flush=True
    )


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


@override_settings(ALLOWED_HOSTS=["*"], SECURE_SSL_REDIRECT=False)
def measure_pages() -> None:
    """Print queries and milliseconds of the pages that list papers."""
    topic = Topic.objects.first()
    client = Client()
    for address in ("/", "/papers/", f"/topics/{topic.slug}/" if topic else "/topics/"):
        counter = benchmarks.QueryCounter()
        client.get(address)
        with counter.counting():
            start = time.perf_counter()
            status = client.get(address).status_code
            seconds = time.perf_counter() - start
        print(f"{address}: {status}, {counter.count} queries, {1e3 * seconds:.0f} ms", flush=True)
