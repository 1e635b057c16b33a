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

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Max

from papers.models import Embedding, Paper, SearchText
from papers.search import documents, index_terms
from papers.search.fusion import reciprocal_rank_fusion
from papers.search.query import Query, QueryTerm

# Only the newest matches are ranked, so a common word costs no more than a rare one does.
MAX_RESULTS = 2_000
INDEX_BATCH_SIZE = 500

STORED_COLUMNS = ("day", *documents.TEXT_COLUMNS, "keys")
# So many of the best by their titles are ordered by all their words.
RERANK_DEPTH = 100
# Newest papers to look through before older ones: a common word is soon found often enough. The
# first few may bear a wrong day.
WINDOW_SIZES = (50, 5_000, 15_000, 50_000, 150_000)
WINDOWS_CACHE_KEY = "papers.search.windows"
WINDOW_SQL = """(
    SELECT paper_id, day, headline FROM papers_searchtext
    WHERE document @@ ({asked} && %(within{number})s::tsquery)
        AND day BETWEEN %(since)s AND %(until)s AND {days}
    ORDER BY day DESC, paper_id DESC LIMIT %(most)s
)"""


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of results, the best first, and how many there are: at most `MOST` are counted."""

    papers: Sequence[Paper] = ()
    total: int = 0

    @property
    def is_capped(self) -> bool:
        return self.total >= MAX_RESULTS


def search(
    query: Query, *, offset: int = 0, limit: int = 20, semantic_ids: Sequence[int] = ()
) -> ResultPage:
    """The papers that meet every term, in three queries; those `near` in meaning a little higher."""
    if semantic_ids:
        # To move some up, all places must be known.
        found = search_ids(query)
        ids = reciprocal_rank_fusion([paper_id for paper_id, _ in found], semantic_ids)[
            offset : offset + limit
        ]
    else:
        found = search_ids(query, offset=offset, limit=limit)
        ids = [paper_id for paper_id, _ in found]
    papers = Paper.objects.with_topics().in_bulk(ids)
    in_order = [papers[paper_id] for paper_id in ids if paper_id in papers]
    return ResultPage(in_order, found[0][1] if found else 0)


def search_ids(query: Query, *, offset: int = 0, limit: int = MAX_RESULTS) -> list[tuple[int, int]]:
    """Paper ids, the best first, each with how many there are; in one query."""
    if not query.is_searchable:
        return []
    values: dict[str, Any] = {
        "since": (query.since or date.min).isoformat(),
        "until": (query.until or date.max).isoformat(),
        "most": MAX_RESULTS,
        "size": limit,
        "first": offset,
    }
    on_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(*(postgresql_query if on_postgresql else sqlite_query)(query, values))
        if on_postgresql:
            cursor.nextset()  # past what SET answers
        return cursor.fetchall()


def postgresql_query(query: Query, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The newest first, and no further than needed: UNION ALL ends at its LIMIT.

    To look into a document takes longer than all else here, and the planner does not know that: so
    only the index is asked, and it may not read the table through. Those with most of the words in
    their titles come first; among them, the first few by all that they say.
    """
    asked, found = build_tsquery(query, values), []
    for number, (within, days) in enumerate(date_windows(query.since)):
        values[f"within{number}"] = within
        found.append(WINDOW_SQL.format(asked=asked, number=number, days=days))
    # (The weights are those of D, C, B and A.)
    sql = f"""
        SET LOCAL enable_seqscan = off;
        WITH newest AS (SELECT * FROM ({" UNION ALL ".join(found)}) AS found LIMIT %(most)s),
        titled AS (
            SELECT *, ts_rank(headline, to_tsquery('simple', %(either)s)) AS in_title FROM newest
        ),
        placed AS (
            SELECT paper_id, in_title, count(*) OVER () AS total, row_number() OVER (
                ORDER BY in_title DESC, day DESC, paper_id DESC
            ) AS place FROM titled
        )
        SELECT paper_id, total FROM placed
        ORDER BY in_title DESC, CASE WHEN place <= %(into)s THEN (
            SELECT ts_rank('{{0.1, 0.4, 0.4, 1.0}}', document, to_tsquery('simple', %(all)s), 1)
            FROM papers_searchtext AS text WHERE text.paper_id = placed.paper_id
        ) END DESC NULLS LAST, place
        LIMIT %(size)s OFFSET %(first)s
    """
    wanted = sorted({word for term in query.terms if not term.excluded for word in term.tokens})
    either, every = (sign.join(f"'{word}'" for word in wanted) for sign in (" | ", " & "))
    return sql, values | {"either": either, "all": every, "into": RERANK_DEPTH}


def date_windows(oldest: date | None) -> Iterator[tuple[str, str]]:
    """Of which days, as keys and as a condition; together they leave none out."""
    since = (oldest or date.min).toordinal()
    seen = cached_recency_windows()
    newer = [range(max(each.start, index_terms.week_start(since)), each.stop) for each in seen]
    newer = [each for each in newer if each]
    for each in newer:
        yield " | ".join(index_terms.covering_buckets(each.start, each.stop)), "true"
    if not newer:
        yield "", "true"
    elif since < seen[-1].start:
        outside = f"BETWEEN {seen[-1].start} AND {seen[0].stop - 1}"
        yield "", f"day - DATE '0001-01-01' + 1 NOT {outside}"


def build_tsquery(query: Query, values: dict[str, Any]) -> str:
    """PostgreSQL takes words apart as it does in a text; keys it must leave as they are."""
    parts = []
    for number, term in enumerate(query.terms):
        values[f"keys{number}"] = " & ".join(f"'{key}'" for key in index_terms_for(term))
        values[f"words{number}"] = phrase_expression(term)
        part = f"(%(keys{number})s::tsquery && to_tsquery('simple', %(words{number})s))"
        parts.append(f"!!{part}" if term.excluded else part)
    return " && ".join(parts)


def index_terms_for(term: QueryTerm) -> Iterator[str]:
    """What they leave over is little to look into, mostly nothing."""
    if key := single_index_term(term):
        yield key
        return
    if term.field == "author":
        yield from map(index_terms.author_term, term.tokens)
    yield from index_terms.bigrams(term.tokens)


def phrase_expression(term: QueryTerm) -> str:
    """What no key says; an author's name, and two words of any text, are one."""
    is_author = term.field == "author"
    if single_index_term(term) or len(term.tokens) == (1 if is_author else 2):
        return ""
    weight = ":B" if is_author else ""
    return " <-> ".join(f"'{word}'{weight}" for word in term.tokens)


def single_index_term(term: QueryTerm) -> str:
    """The one word that stands for it, on both engines."""
    if term.field == "topic":
        return index_terms.topic_term(term.tokens)
    return term.tokens[0] if term.field == "category" else ""


def cached_recency_windows() -> list[range]:
    """Days to look through one after the other; as they were some minutes ago, which will do."""
    return cache.get_or_set(WINDOWS_CACHE_KEY, compute_recency_windows, timeout=600) or []


def compute_recency_windows() -> list[range]:
    """None if the first would have all."""
    newest_first = Paper.objects.order_by("-sort_date").values_list("sort_date", flat=True)
    days = [day.toordinal() for size in WINDOW_SIZES for day in newest_first[size : size + 1]]
    return index_terms.recency_windows(days[0], days[1:]) if days else []


def sqlite_query(query: Query, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
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
        row = f'"{single_index_term(term) or " ".join(term.tokens)}"'
        part = f"(people : {row})" if term.field == "author" else row
        (unwanted if term.excluded else wanted).append(part)
    # FTS5's NOT stands between two: (this) NOT that NOT that.
    asked = " NOT ".join([f"({' AND '.join(wanted)})", *unwanted])
    return sql, values | {"asked": asked}


def unmatched_terms(query: Query) -> list[QueryTerm]:
    """The single words of a question that no paper has."""
    plain = [term for term in query.terms if term.is_bare_word]
    if not plain:
        return []
    on_postgresql = connection.vendor == "postgresql"
    one = (
        "SELECT 1 FROM papers_searchtext WHERE document @@ to_tsquery('simple', %s)"
        if on_postgresql
        else "SELECT 1 FROM papers_searchtext_fts WHERE papers_searchtext_fts MATCH %s"
    )
    asked = [f"'{term.tokens[0]}'" if on_postgresql else f'"{term.tokens[0]}"' for term in plain]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join([f'EXISTS ({one})'] * len(plain))}", asked)
        known = cursor.fetchone()
    return [term for term, is_known in zip(plain, known, strict=True) if not is_known]


def update_index(papers: Sequence[Paper]) -> int:
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
    wanted = [
        build_search_text(each, topics[each.pk])
        for each in sorted(papers, key=lambda each: each.pk)
    ]
    changed = [row for row in wanted if not is_unchanged(known.get(row.paper_id), row)]
    if changed:
        SearchText.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["paper"], update_fields=STORED_COLUMNS
        )
    if reworded := [row.paper_id for row in changed if text_changed(known.get(row.paper_id), row)]:
        # What it is about is to be found out anew.
        Embedding.objects.filter(paper__in=reworded).delete()
    return len(changed)


def rebuild_index() -> Iterator[int]:
    """Index every paper anew; yields how many were looked at, batch by batch."""
    last, newest = 0, Paper.objects.aggregate(newest=Max("pk"))["newest"] or 0
    while last < newest:
        with transaction.atomic():
            ids = list(
                Paper.objects.filter(pk__gt=last)
                .order_by("pk")
                .values_list("pk")[:INDEX_BATCH_SIZE]
            )
            # Locked as the catalogue does: or an old text could be written over a new one.
            papers = Paper.objects.filter(pk__in=[pk for (pk,) in ids]).order_by("identity")
            update_index(list(papers.select_for_update(no_key=True)))
        if not ids:
            break
        last = ids[-1][0]
        yield len(ids)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO papers_searchtext_fts (papers_searchtext_fts) VALUES ('rebuild')"
            )


def is_unchanged(existing: SearchText | None, updated: SearchText) -> bool:
    return existing is not None and all(
        getattr(existing, name) == getattr(updated, name) for name in STORED_COLUMNS
    )


def text_changed(existing: SearchText | None, updated: SearchText) -> bool:
    return existing is not None and (existing.title, existing.abstract) != (
        updated.title,
        updated.abstract,
    )


def build_search_text(paper: Paper, topics: Sequence[str]) -> SearchText:
    """A paper's words, as both engines index them."""
    columns = documents.index_columns(paper, topics)
    # SQLite looks phrases and columns up by itself.
    own = documents.build_index_terms(columns) if connection.vendor == "postgresql" else ""
    return SearchText(paper_id=paper.pk, keys=own, **columns)
