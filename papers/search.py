"""Find papers: the only module that knows which database it is.

Each paper's words stand in a row of their own, so that its votes can change without touching them.
Over these rows PostgreSQL keeps a tsvector with a GIN index, SQLite an FTS5 index (see
migrations/0002); both follow the rows by themselves, in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from papers.models import Paper, SearchText
from papers.query import Query, category
from papers.words import words

# Only the newest matches are ranked, so a common word costs no more than a rare one does.
MOST = 2_000
BATCH = 500
# More words than any list of authors or abstract has; an index has limits.
MOST_WORDS = 8_000
# Before each text: the last word of one and the first of the next stand in no row.
BREAK = "zzbreakzz"

TEXTS = ("title", "people", "labels", "abstract")
COLUMNS = ("day", *TEXTS)
# Where the words of a field stand, for each engine.
SQLITE_COLUMNS = {"author": "people", "topic": "labels", "category": "labels"}
POSTGRESQL_WEIGHTS = {"author": "B", "topic": "C", "category": "C"}


@dataclass(frozen=True, slots=True)
class Found:
    """One page of results, the best first, and how many there are: at most `MOST` are counted."""

    papers: Sequence[Paper] = ()
    total: int = 0

    @property
    def is_capped(self) -> bool:
        return self.total >= MOST


def find(query: Query, *, first: int = 0, size: int = 20) -> Found:
    """The papers that meet every term, in three queries."""
    found = ranked(query, first=first, size=size)
    papers = Paper.objects.with_topics().in_bulk([paper_id for paper_id, _ in found])
    in_order = [papers[paper_id] for paper_id, _ in found if paper_id in papers]
    return Found(in_order, found[0][1] if found else 0)


def ranked(query: Query, *, first: int = 0, size: int = MOST) -> list[tuple[int, int]]:
    """Paper ids, the best first, each with how many there are; in one query."""
    if not query.asks_for_something:
        return []
    sql, asked = in_postgresql(query) if connection.vendor == "postgresql" else in_sqlite(query)
    values: dict[str, str | int] = {
        "asked": asked,
        "since": (query.since or date.min).isoformat(),
        "until": (query.until or date.max).isoformat(),
        "most": MOST,
        "size": size,
        "first": first,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def in_postgresql(query: Query) -> tuple[str, str]:
    # The planner chooses: rare words by the GIN index, common ones from the newest day backwards.
    # (The weights are those of D, C, B and A.)
    sql = """
        WITH newest AS (
            SELECT paper_id FROM papers_searchtext
            WHERE document @@ to_tsquery('simple', %(asked)s) AND day BETWEEN %(since)s AND %(until)s
            ORDER BY day DESC, paper_id DESC LIMIT %(most)s
        )
        SELECT paper_id, count(*) OVER ()
        FROM newest JOIN papers_searchtext USING (paper_id)
        ORDER BY ts_rank('{0.1, 0.4, 0.4, 1.0}', document, to_tsquery('simple', %(asked)s), 1) DESC,
            day DESC, paper_id DESC
        LIMIT %(size)s OFFSET %(first)s
    """
    parts = []
    for term in query.terms:
        weight = POSTGRESQL_WEIGHTS.get(term.field, "")
        row = " <-> ".join(f"'{word}':{weight}" if weight else f"'{word}'" for word in term.words)
        parts.append(f"!({row})" if term.excluded else f"({row})")
    return sql, " & ".join(parts)


def in_sqlite(query: Query) -> tuple[str, str]:
    sql = """
        WITH matching AS (
            SELECT paper_id, day, bm25(papers_searchtext_fts, 10, 4, 4, 1) AS distance
            FROM papers_searchtext_fts
            JOIN papers_searchtext ON paper_id = papers_searchtext_fts.rowid
            WHERE papers_searchtext_fts MATCH %(asked)s AND day BETWEEN %(since)s AND %(until)s
        ),
        newest AS (SELECT * FROM matching ORDER BY day DESC, paper_id DESC LIMIT %(most)s)
        SELECT paper_id, count(*) OVER () FROM newest
        ORDER BY distance, day DESC, paper_id DESC
        LIMIT %(size)s OFFSET %(first)s
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for term in query.terms:
        column = SQLITE_COLUMNS.get(term.field)
        row = f'"{" ".join(term.words)}"'
        part = f"({column} : {row})" if column else row
        (unwanted if term.excluded else wanted).append(part)
    # FTS5's NOT stands between two: (this) NOT that NOT that.
    return sql, " NOT ".join([f"({' AND '.join(wanted)})", *unwanted])


def index(papers: Sequence[Paper]) -> int:
    """Bring the rows of these papers up to date, in three queries; how many had to change.

    In the caller's transaction: what is not stored is not found.
    """
    if not papers:
        return 0
    topics: dict[int, list[str]] = defaultdict(list)
    links = Paper.topics.through.objects.filter(paper__in=papers).order_by("topic__slug")
    for paper_id, name, slug in links.values_list("paper_id", "topic__name", "topic__slug"):
        topics[paper_id] += [name, slug]
    known = {row.paper_id: row for row in SearchText.objects.filter(paper__in=papers)}
    # Always in the order of their ids: then two who index at once wait for each other, not both.
    wanted = [text_of(each, topics[each.pk]) for each in sorted(papers, key=lambda each: each.pk)]
    changed = [row for row in wanted if not is_same(known.get(row.paper_id), row)]
    if changed:
        SearchText.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["paper"], update_fields=COLUMNS
        )
    return len(changed)


def rebuild() -> Iterator[int]:
    """Index every paper anew; yields how many were looked at, batch by batch."""
    last, newest = 0, Paper.objects.aggregate(newest=Max("pk"))["newest"] or 0
    while last < newest:
        with transaction.atomic():
            ids = list(Paper.objects.filter(pk__gt=last).order_by("pk").values_list("pk")[:BATCH])
            # Locked as the catalogue does: or an old text could be written over a new one.
            papers = Paper.objects.filter(pk__in=[pk for (pk,) in ids]).order_by("identity")
            index(list(papers.select_for_update(no_key=True)))
        if not ids:
            break
        last = ids[-1][0]
        yield len(ids)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO papers_searchtext_fts (papers_searchtext_fts) VALUES ('rebuild')"
            )


def is_same(known: SearchText | None, wanted: SearchText) -> bool:
    return known is not None and all(
        getattr(known, name) == getattr(wanted, name) for name in COLUMNS
    )


def text_of(paper: Paper, topics: Sequence[str]) -> SearchText:
    """A paper's words, as both engines index them."""
    return SearchText(paper_id=paper.pk, **columns(paper, topics))


def columns(paper: Any, topics: Sequence[str]) -> dict[str, Any]:
    # A category also by its archive: category:cs finds cs.LG.
    names = {each for name in paper.categories for each in (name, name.split(".")[0])}
    labels = rows([paper.arxiv_id, paper.doi, *topics, *paper.categories])
    return {
        "day": paper.day,
        "title": rows([paper.title]),
        "people": rows(paper.authors),
        "labels": " ".join([labels, *sorted(filter(None, map(category, names)))]),
        "abstract": rows([paper.abstract]),
    }


def rows(texts: Sequence[str]) -> str:
    found = [word for text in texts for word in (BREAK, *words(text))]
    return " ".join(found[:MOST_WORDS])
