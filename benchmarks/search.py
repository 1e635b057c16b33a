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
from benchmarks.corpus import Made
from papers.models import Paper, SearchText, Topic
from papers.search import documents, engine, query
from papers.text.tokens import words
from papers.topics import sync

PAPERS, ROUNDS, EACH = 20_000, 5, 5
BATCH = 2_000
# Left out while rows are written, made again after.
INDEX = "papers_searchtext_document"


@dataclass(frozen=True, slots=True)
class Asked:
    kind: str
    typed: str


def main() -> None:
    number = int(os.environ.get("SEARCH_PAPERS", PAPERS))
    if connection.vendor == "sqlite" and "SEARCH_ON" not in os.environ:
        command = [sys.executable, "-m", "benchmarks", "search"]
        environment = {**os.environ, "SEARCH_ON": "postgresql", "SEARCH_PAPERS": str(number)}
        servers = [sys.executable, "-m", "tests.servers", "--"]
        subprocess.run([*servers, *command], env=environment, check=True)
    with benchmarks.empty_database():
        measure(number)


def measure(number: int) -> None:
    made_of = corpus.patterns()
    start = time.perf_counter()
    build(corpus.papers(number, made_of))
    print(
        f"{connection.vendor}: {Paper.objects.count():,} papers of {len(made_of):,} patterns,"
        f" built in {time.perf_counter() - start:.0f} s; {', '.join(sizes())}.",
        flush=True,
    )
    asked = questions(made_of)
    taken, plain, found = rounds(asked)
    show(asked, taken, found)
    conclude([each for values in taken.values() for each in values], plain)
    pages()


def build(papers: Iterator[Made]) -> None:
    slugs = sync.store()
    names = dict(Topic.objects.values_list("slug", "name"))
    on_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if on_postgresql:
            definition = remove_index(cursor)
        while batch := list(islice(papers, BATCH)):
            store(batch, slugs, names)
        if on_postgresql:
            cursor.execute("SET maintenance_work_mem = '1GB'")
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE" if on_postgresql else "ANALYZE")


def remove_index(cursor: Any) -> str:
    cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [INDEX])
    definition = str(cursor.fetchone()[0])
    cursor.execute(f"DROP INDEX {INDEX}")
    return definition


def store(batch: Sequence[Made], slugs: dict[str, int], names: dict[str, str]) -> None:
    papers = [paper(each) for each in batch]
    rows = [text(row, made, names) for row, made in zip(papers, batch, strict=True)]
    link = Paper.topics.through
    links = [
        link(paper_id=each.number + 1, topic_id=slugs[slug])
        for each in batch
        for slug in each.topics
    ]
    write(Paper, papers)
    write(SearchText, rows)
    write(link, links)


def text(row: Paper, made: Made, names: dict[str, str]) -> SearchText:
    """As search.text_of, but each sentence is taken apart only once, however often it comes."""
    topics = labels(made.topics, names)
    columns = documents.columns(
        Paper(
            arxiv_id=row.arxiv_id,
            title=row.title,
            authors=row.authors,
            categories=row.categories,
            day=row.day,
        ),
        topics,
    )
    abstract = [documents.BREAK, *(word for each in made.sentences for word in words_of(each))]
    columns["abstract"] = " ".join(abstract[: documents.MOST_WORDS])
    own = documents.keys_of(columns) if connection.vendor == "postgresql" else ""
    return SearchText(paper_id=row.pk, keys=own, **columns)


@cache
def words_of(sentence: str) -> list[str]:
    return words(sentence)


def labels(slugs: Iterable[str], names: dict[str, str]) -> list[str]:
    return [each for slug in sorted(slugs) for each in (names[slug], slug)]


def paper(made: Made) -> Paper:
    day = made.day
    return Paper(
        pk=made.number + 1,
        identity=(number := f"{1000 + made.number // 100_000}.{made.number % 100_000:05d}"),
        arxiv_id=number,
        title=made.title,
        abstract=" ".join(made.sentences),
        authors=made.authors,
        categories=made.categories,
        published_on=day,
        listed_on=day,
        day=day,
        score=float(made.number % 97),
        upvotes=made.number % 97,
    )


def write(model: type[models.Model], rows: Sequence[models.Model]) -> None:
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


def sizes() -> Iterator[str]:
    if connection.vendor == "sqlite":
        yield f"file {os.path.getsize(connection.settings_dict['NAME']) / 1e6:,.0f} MB"
        return
    with connection.cursor() as cursor:
        for name in ("papers_paper", "papers_searchtext"):
            cursor.execute("SELECT pg_total_relation_size(%s), pg_relation_size(%s)", [name, name])
            total, heap = cursor.fetchone()
            yield f"{name} {total / 1e6:,.0f} MB ({heap / 1e6:,.0f} MB without TOAST and indexes)"
        cursor.execute("SELECT pg_relation_size(%s)", [INDEX])
        yield f"its GIN index {cursor.fetchone()[0] / 1e6:,.0f} MB"


def questions(made_of: Sequence[corpus.Pattern]) -> list[Asked]:
    """Of every kind some, from the words of the papers themselves; the same every time."""
    chance = random.Random(corpus.SEED)
    spoken = [words(f"{each.title} . {' . '.join(each.sentences)}") for each in made_of]
    counted = Counter(word for text in spoken for word in set(text) if word.isalpha())
    common = [word for word, _ in counted.most_common(40)]
    rare = sorted(word for word, count in counted.items() if 1 <= count <= 2 and len(word) > 4)
    titles = [text[:6] for each in made_of if len(text := words(each.title)) >= 6]
    pairs = Counter(pair for each in made_of for pair in pairwise(words(each.title)))
    phrases = [" ".join(pair) for pair, _ in pairs.most_common(30)]
    adjoining = {pair for text in spoken for pair in pairwise(text)}
    authors = sorted({name.split()[-1] for each in made_of for name in each.authors})
    categories = sorted({name for each in made_of for name in each.categories})
    slugs = [slug for slug, _ in Counter(s for each in made_of for s in each.topics).most_common()]

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
    return [Asked(kind, typed()) for kind, typed in kinds.items() for _ in range(EACH)]


def rounds(asked: Sequence[Asked]) -> tuple[dict[Asked, list[float]], list[float], Counter[Asked]]:
    """Milliseconds of each question, of as many round trips between them, and what was found."""
    taken: dict[Asked, list[float]] = defaultdict(list)
    plain: list[float] = []
    found: Counter[Asked] = Counter()
    order = list(asked)
    for turn in range(ROUNDS + 1):
        random.Random(turn).shuffle(order)
        for each in order:
            start = time.perf_counter()
            result = engine.find(query.parse(each.typed))
            between = time.perf_counter()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.fetchall()
            if turn:  # the first is to warm up
                taken[each].append(1e3 * (between - start))
                plain.append(1e3 * (time.perf_counter() - between))
            found[each] = result.total
    return taken, plain, found


def show(asked: Sequence[Asked], taken: dict[Asked, list[float]], found: Counter[Asked]) -> None:
    table = Table(title="Milliseconds to find, by kind of question", title_justify="left")
    for name in ("question", "median", "max", "found", "slowest"):
        table.add_column(name, justify="left" if name in {"question", "slowest"} else "right")
    for kind in dict.fromkeys(each.kind for each in asked):
        ours = [each for each in asked if each.kind == kind]
        times = [each for one in ours for each in taken[one]]
        slowest = max(ours, key=lambda one: statistics.median(taken[one]))
        numbers = sorted(found[one] for one in ours)
        table.add_row(
            kind,
            f"{statistics.median(times):.1f}",
            f"{max(times):.1f}",
            f"{numbers[0]:,}–{numbers[-1]:,}",
            slowest.typed,
        )
    Console(width=110).print(table)


def conclude(taken: Sequence[float], plain: Sequence[float]) -> None:
    for name, values in (("search", taken), ("SELECT 1", plain)):
        print(
            f"{name}: median {statistics.median(values):.2f} ms, p95 {p95(values):.2f} ms,"
            f" max {max(values):.2f} ms ({len(values)} times)"
        )
    print(
        f"search / SELECT 1: {statistics.median(taken) / statistics.median(plain):.0f} at the"
        f" median, {p95(taken) / p95(plain):.0f} at p95",
        flush=True,
    )


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


@override_settings(ALLOWED_HOSTS=["*"], SECURE_SSL_REDIRECT=False)
def pages() -> None:
    """Queries and milliseconds of the pages that lead to papers."""
    busiest = Topic.objects.first()
    client = Client()
    for address in ("/", "/papers/", f"/topics/{busiest.slug}/" if busiest else "/topics/"):
        queries = benchmarks.Queries()
        client.get(address)
        with queries.counted():
            start = time.perf_counter()
            status = client.get(address).status_code
            seconds = time.perf_counter() - start
        print(f"{address}: {status}, {queries.number} queries, {1e3 * seconds:.0f} ms", flush=True)
