"""How fast the search finds among many papers, beside a plain `SELECT 1` in the same run.

On PostgreSQL, which is started for it, then on SQLite. `SEARCH_PAPERS=500000` for as many as arXiv
has of the last years. Milliseconds are this machine's; the ratio is what to compare.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise
from typing import Any

from django.db import connection, models
from django.test import Client, override_settings
from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks import corpus
from benchmarks.corpus import GeneratedPaper
from papers.models import Paper, SearchText, Topic
from papers.search import documents, engine, query
from papers.text.tokens import tokenize
from papers.topics import sync

DEFAULT_PAPER_COUNT, ROUNDS, QUERIES_PER_KIND = 20_000, 5, 5
INSERT_BATCH_SIZE = 2_000
# Left out while rows are written, made again after.
GIN_INDEX_NAME = "papers_searchtext_document"


@dataclass(frozen=True, slots=True)
class BenchmarkQuery:
    kind: str
    text: str


def main() -> None:
    number = int(os.environ.get("SEARCH_PAPERS", DEFAULT_PAPER_COUNT))
    if connection.vendor == "sqlite" and "SEARCH_ON" not in os.environ:
        command = [sys.executable, "-m", "benchmarks", "search"]
        environment = {**os.environ, "SEARCH_ON": "postgresql", "SEARCH_PAPERS": str(number)}
        servers = [sys.executable, "-m", "tests.servers", "--"]
        subprocess.run([*servers, *command], env=environment, check=True)
    with benchmarks.empty_database():
        measure(number)


def measure(paper_count: int) -> None:
    made_of = corpus.load_patterns()
    start = time.perf_counter()
    build_database(corpus.generate_papers(paper_count, made_of))
    print(
        f"{connection.vendor}: {Paper.objects.count():,} papers of {len(made_of):,} patterns,"
        f" built in {time.perf_counter() - start:.0f} s; {', '.join(disk_sizes())}.",
        flush=True,
    )
    asked = build_queries(made_of)
    taken, plain, found = run_rounds(asked)
    print_table(asked, taken, found)
    print_summary([each for values in taken.values() for each in values], plain)
    measure_pages()


def build_database(papers: Iterator[GeneratedPaper]) -> None:
    slugs = sync.sync_topics()
    names = dict(Topic.objects.values_list("slug", "name"))
    on_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if on_postgresql:
            definition = drop_index(cursor)
        while batch := list(islice(papers, INSERT_BATCH_SIZE)):
            insert_batch(batch, slugs, names)
        if on_postgresql:
            cursor.execute("SET maintenance_work_mem = '1GB'")
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE" if on_postgresql else "ANALYZE")


def drop_index(cursor: Any) -> str:
    cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [GIN_INDEX_NAME])
    definition = str(cursor.fetchone()[0])
    cursor.execute(f"DROP INDEX {GIN_INDEX_NAME}")
    return definition


def insert_batch(
    batch: Sequence[GeneratedPaper], topic_ids: dict[str, int], topic_names: dict[str, str]
) -> None:
    papers = [build_paper(each) for each in batch]
    rows = [
        build_search_row(row, made, topic_names) for row, made in zip(papers, batch, strict=True)
    ]
    link = Paper.topics.through
    links = [
        link(paper_id=each.number + 1, topic_id=topic_ids[slug])
        for each in batch
        for slug in each.topics
    ]
    bulk_insert(Paper, papers)
    bulk_insert(SearchText, rows)
    bulk_insert(link, links)


def build_search_row(
    paper: Paper, generated: GeneratedPaper, topic_names: dict[str, str]
) -> SearchText:
    """As search.text_of, but each sentence is taken apart only once, however often it comes."""
    topics = topic_labels(generated.topics, topic_names)
    columns = documents.index_columns(
        Paper(
            arxiv_id=paper.arxiv_id,
            title=paper.title,
            authors=paper.authors,
            categories=paper.categories,
            sort_date=paper.sort_date,
        ),
        topics,
    )
    abstract = [
        documents.BOUNDARY_TOKEN,
        *(word for each in generated.sentences for word in tokenize_sentence(each)),
    ]
    columns["abstract"] = " ".join(abstract[: documents.MAX_COLUMN_TOKENS])
    own = documents.build_index_terms(columns) if connection.vendor == "postgresql" else ""
    return SearchText(paper_id=paper.pk, keys=own, **columns)


@cache
def tokenize_sentence(sentence: str) -> list[str]:
    return tokenize(sentence)


def topic_labels(slugs: Iterable[str], topic_names: dict[str, str]) -> list[str]:
    return [each for slug in sorted(slugs) for each in (topic_names[slug], slug)]


def build_paper(generated: GeneratedPaper) -> Paper:
    day = generated.day
    return Paper(
        pk=generated.number + 1,
        identity=(
            number := f"{1000 + generated.number // 100_000}.{generated.number % 100_000:05d}"
        ),
        arxiv_id=number,
        title=generated.title,
        abstract=" ".join(generated.sentences),
        authors=generated.authors,
        categories=generated.categories,
        published_on=day,
        listed_on=day,
        sort_date=day,
        score=float(generated.number % 97),
        upvotes=generated.number % 97,
    )


def bulk_insert(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """PostgreSQL takes them in by COPY, several times as fast."""
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(rows)
        return
    fields = [each for each in model._meta.concrete_fields if not each.generated]
    if model is Paper.topics.through:
        fields = [each for each in fields if not each.primary_key]
    columns = ", ".join(f'"{each.column}"' for each in fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(
                [each.get_db_prep_save(each.pre_save(row, add=True), connection) for each in fields]
            )


def disk_sizes() -> Iterator[str]:
    if connection.vendor == "sqlite":
        yield f"file {os.path.getsize(connection.settings_dict['NAME']) / 1e6:,.0f} MB"
        return
    with connection.cursor() as cursor:
        for name in ("papers_paper", "papers_searchtext"):
            cursor.execute("SELECT pg_total_relation_size(%s), pg_relation_size(%s)", [name, name])
            total, heap = cursor.fetchone()
            yield f"{name} {total / 1e6:,.0f} MB ({heap / 1e6:,.0f} MB without TOAST and indexes)"
        cursor.execute("SELECT pg_relation_size(%s)", [GIN_INDEX_NAME])
        yield f"its GIN index {cursor.fetchone()[0] / 1e6:,.0f} MB"


def build_queries(patterns: Sequence[corpus.PaperPattern]) -> list[BenchmarkQuery]:
    """Of every kind some, from the words of the papers themselves; the same every time."""
    chance = random.Random(corpus.SEED)
    spoken = [tokenize(f"{each.title} . {' . '.join(each.sentences)}") for each in patterns]
    counted = Counter(word for text in spoken for word in set(text) if word.isalpha())
    common = [word for word, _ in counted.most_common(40)]
    rare = sorted(word for word, count in counted.items() if 1 <= count <= 2 and len(word) > 4)
    titles = [text[:6] for each in patterns if len(text := tokenize(each.title)) >= 6]
    pairs = Counter(pair for each in patterns for pair in pairwise(tokenize(each.title)))
    phrases = [" ".join(pair) for pair, _ in pairs.most_common(30)]
    adjoining = {pair for text in spoken for pair in pairwise(text)}
    authors = sorted({name.split()[-1] for each in patterns for name in each.authors})
    categories = sorted({name for each in patterns for name in each.categories})
    slugs = [slug for slug, _ in Counter(s for each in patterns for s in each.topics).most_common()]

    def apart() -> str:
        while pair := chance.sample(common, k=2):
            if tuple(pair) not in adjoining:
                return " ".join(pair)
        raise AssertionError

    kinds: dict[str, Callable[[], str]] = {
        "a common word": lambda: chance.choice(common[:20]),
        "a rare word": lambda: chance.choice(rare),
        "two common words": lambda: " ".join(chance.sample(common, k=2)),
        "three words of a title": lambda: " ".join(chance.sample(chance.choice(titles), k=3)),
        "six words of a title": lambda: " ".join(chance.choice(titles)),
        "a phrase": lambda: f'"{chance.choice(phrases)}"',
        "a phrase that none has": lambda: f'"{apart()}"',
        "without a word": lambda: f"{chance.choice(common)} -{chance.choice(common[20:])}",
        "author:": lambda: f"author:{chance.choice(authors)}",
        "topic:": lambda: f"topic:{chance.choice(slugs)} {chance.choice(common)}",
        "topic: alone": lambda: f"topic:{chance.choice(slugs)}",
        "category:": lambda: f"category:{chance.choice(categories)} {chance.choice(common)}",
        "since:": lambda: f"{chance.choice(common)} since:{corpus.TODAY:%Y-%m}-05",
        "nothing found": lambda: f"{chance.choice(rare)} {chance.choice(rare)} xyzzy",
    }
    return [
        BenchmarkQuery(kind, typed())
        for kind, typed in kinds.items()
        for _ in range(QUERIES_PER_KIND)
    ]


def run_rounds(
    queries: Sequence[BenchmarkQuery],
) -> tuple[dict[BenchmarkQuery, list[float]], list[float], Counter[BenchmarkQuery]]:
    """Milliseconds of each question, of as many round trips between them, and what was found."""
    taken: dict[BenchmarkQuery, list[float]] = defaultdict(list)
    plain: list[float] = []
    found: Counter[BenchmarkQuery] = Counter()
    order = list(queries)
    for turn in range(ROUNDS + 1):
        random.Random(turn).shuffle(order)
        for each in order:
            start = time.perf_counter()
            result = engine.search(query.parse_query(each.text))
            between = time.perf_counter()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.fetchall()
            if turn:  # the first is to warm up
                taken[each].append(1e3 * (between - start))
                plain.append(1e3 * (time.perf_counter() - between))
            found[each] = result.total
    return taken, plain, found


def print_table(
    queries: Sequence[BenchmarkQuery],
    timings: dict[BenchmarkQuery, list[float]],
    result_counts: Counter[BenchmarkQuery],
) -> None:
    table = Table(title="Milliseconds to find, by kind of question", title_justify="left")
    for name in ("question", "median", "max", "found", "slowest"):
        table.add_column(name, justify="left" if name in {"question", "slowest"} else "right")
    for kind in dict.fromkeys(each.kind for each in queries):
        ours = [each for each in queries if each.kind == kind]
        times = [each for one in ours for each in timings[one]]
        slowest = max(ours, key=lambda one: statistics.median(timings[one]))
        numbers = sorted(result_counts[one] for one in ours)
        table.add_row(
            kind,
            f"{statistics.median(times):.1f}",
            f"{max(times):.1f}",
            f"{numbers[0]:,}–{numbers[-1]:,}",
            slowest.text,
        )
    Console(width=110).print(table)


def print_summary(search_times: Sequence[float], baseline_times: Sequence[float]) -> None:
    for name, values in (("search", search_times), ("SELECT 1", baseline_times)):
        print(
            f"{name}: median {statistics.median(values):.2f} ms, p95 {p95(values):.2f} ms,"
            f" max {max(values):.2f} ms ({len(values)} times)"
        )
    print(
        f"search / SELECT 1: {statistics.median(search_times) / statistics.median(baseline_times):.0f} at the"
        f" median, {p95(search_times) / p95(baseline_times):.0f} at p95",
        flush=True,
    )


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


@override_settings(ALLOWED_HOSTS=["*"], SECURE_SSL_REDIRECT=False)
def measure_pages() -> None:
    """Queries and milliseconds of the pages that lead to papers."""
    busiest = Topic.objects.first()
    client = Client()
    for address in ("/", "/papers/", f"/topics/{busiest.slug}/" if busiest else "/topics/"):
        queries = benchmarks.QueryCounter()
        client.get(address)
        with queries.counting():
            start = time.perf_counter()
            status = client.get(address).status_code
            seconds = time.perf_counter() - start
        print(f"{address}: {status}, {queries.count} queries, {1e3 * seconds:.0f} ms", flush=True)
