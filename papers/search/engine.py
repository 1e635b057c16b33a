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
from papers.search.fusion import fused
from papers.search.query import Query, Term

# Only the newest matches are ranked, so a common word costs no more than a rare one does.
MOST = 2_000
BATCH = 500

COLUMNS = ("day", *documents.NAMES, "keys")
# So many of the best by their titles are ordered by all their words.
LOOKED_INTO = 100
# Newest papers to look through before older ones: a common word is soon found often enough. The
# first few may bear a wrong day.
SIZES = (50, 5_000, 15_000, 50_000, 150_000)
WINDOWS = "papers.search.windows"
NEWEST = """(
    SELECT paper_id, day, headline FROM papers_searchtext
    WHERE document @@ ({asked} && %(within{number})s::tsquery)
        AND day BETWEEN %(since)s AND %(until)s AND {days}
    ORDER BY day DESC, paper_id DESC LIMIT %(most)s
)"""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of results, the best first, and how many there are: at most `MOST` are counted."""

    papers: Sequence[Paper] = ()
    total: int = 0

    @property
    def is_capped(self) -> bool:
        return self.total >= MOST


def find(query: Query, *, first: int = 0, size: int = 20, near: Sequence[int] = ()) -> Found:
    """The papers that meet every term, in three queries; those `near` in meaning a little higher."""
    if near:
        # To move some up, all places must be known.
        found = ranked(query)
        ids = fused([paper_id for paper_id, _ in found], near)[first : first + size]
    else:
        found = ranked(query, first=first, size=size)
        ids = [paper_id for paper_id, _ in found]
    papers = Paper.objects.with_topics().in_bulk(ids)
    in_order = [papers[paper_id] for paper_id in ids if paper_id in papers]
    return Found(in_order, found[0][1] if found else 0)


def ranked(query: Query, *, first: int = 0, size: int = MOST) -> list[tuple[int, int]]:
    """Paper ids, the best first, each with how many there are; in one query."""
    if not query.asks_for_something:
        return []
    values: dict[str, Any] = {
        "since": (query.since or date.min).isoformat(),
        "until": (query.until or date.max).isoformat(),
        "most": MOST,
        "size": size,
        "first": first,
    }
    on_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(*(in_postgresql if on_postgresql else in_sqlite)(query, values))
        if on_postgresql:
            cursor.nextset()  # past what SET answers
        return cursor.fetchall()


def in_postgresql(query: Query, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The newest first, and no further than needed: UNION ALL ends at its LIMIT.

    To look into a document takes longer than all else here, and the planner does not know that: so
    only the index is asked, and it may not read the table through. Those with most of the words in
    their titles come first; among them, the first few by all that they say.
    """
    asked, found = tsquery(query, values), []
    for number, (within, days) in enumerate(newest_first(query.since)):
        values[f"within{number}"] = within
        found.append(NEWEST.format(asked=asked, number=number, days=days))
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
    wanted = sorted({word for term in query.terms if not term.excluded for word in term.words})
    either, every = (sign.join(f"'{word}'" for word in wanted) for sign in (" | ", " & "))
    return sql, values | {"either": either, "all": every, "into": LOOKED_INTO}


def newest_first(oldest: date | None) -> Iterator[tuple[str, str]]:
    """Of which days, as keys and as a condition; together they leave none out."""
    since = (oldest or date.min).toordinal()
    seen = windows()
    newer = [range(max(each.start, index_terms.week(since)), each.stop) for each in seen]
    newer = [each for each in newer if each]
    for each in newer:
        yield " | ".join(index_terms.within(each.start, each.stop)), "true"
    if not newer:
        yield "", "true"
    elif since < seen[-1].start:
        outside = f"BETWEEN {seen[-1].start} AND {seen[0].stop - 1}"
        yield "", f"day - DATE '0001-01-01' + 1 NOT {outside}"


def tsquery(query: Query, values: dict[str, Any]) -> str:
    """PostgreSQL takes words apart as it does in a text; keys it must leave as they are."""
    parts = []
    for number, term in enumerate(query.terms):
        values[f"keys{number}"] = " & ".join(f"'{key}'" for key in keys_of(term))
        values[f"words{number}"] = in_a_row(term)
        part = f"(%(keys{number})s::tsquery && to_tsquery('simple', %(words{number})s))"
        parts.append(f"!!{part}" if term.excluded else part)
    return " && ".join(parts)


def keys_of(term: Term) -> Iterator[str]:
    """What they leave over is little to look into, mostly nothing."""
    if key := key_of(term):
        yield key
        return
    if term.field == "author":
        yield from map(index_terms.author, term.words)
    yield from index_terms.pairs(term.words)


def in_a_row(term: Term) -> str:
    """What no key says; an author's name, and two words of any text, are one."""
    is_author = term.field == "author"
    if key_of(term) or len(term.words) == (1 if is_author else 2):
        return ""
    weight = ":B" if is_author else ""
    return " <-> ".join(f"'{word}'{weight}" for word in term.words)


def key_of(term: Term) -> str:
    """The one word that stands for it, on both engines."""
    if term.field == "topic":
        return index_terms.topic(term.words)
    return term.words[0] if term.field == "category" else ""


def windows() -> list[range]:
    """Days to look through one after the other; as they were some minutes ago, which will do."""
    return cache.get_or_set(WINDOWS, count_windows, timeout=600) or []


def count_windows() -> list[range]:
    """None if the first would have all."""
    newest_first = Paper.objects.order_by("-day").values_list("day", flat=True)
    days = [day.toordinal() for size in SIZES for day in newest_first[size : size + 1]]
    return index_terms.windows(days[0], days[1:]) if days else []


def in_sqlite(query: Query, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
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
        row = f'"{key_of(term) or " ".join(term.words)}"'
        part = f"(people : {row})" if term.field == "author" else row
        (unwanted if term.excluded else wanted).append(part)
    # FTS5's NOT stands between two: (this) NOT that NOT that.
    asked = " NOT ".join([f"({' AND '.join(wanted)})", *unwanted])
    return sql, values | {"asked": asked}


def unknown(query: Query) -> list[Term]:
    """The single words of a question that no paper has."""
    plain = [term for term in query.terms if term.is_plain]
    if not plain:
        return []
    on_postgresql = connection.vendor == "postgresql"
    one = (
        "SELECT 1 FROM papers_searchtext WHERE document @@ to_tsquery('simple', %s)"
        if on_postgresql
        else "SELECT 1 FROM papers_searchtext_fts WHERE papers_searchtext_fts MATCH %s"
    )
    asked = [f"'{term.words[0]}'" if on_postgresql else f'"{term.words[0]}"' for term in plain]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join([f'EXISTS ({one})'] * len(plain))}", asked)
        known = cursor.fetchone()
    return [term for term, is_known in zip(plain, known, strict=True) if not is_known]


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
    if reworded := [row.paper_id for row in changed if is_reworded(known.get(row.paper_id), row)]:
        # What it is about is to be found out anew.
        Embedding.objects.filter(paper__in=reworded).delete()
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


def is_reworded(known: SearchText | None, wanted: SearchText) -> bool:
    return known is not None and (known.title, known.abstract) != (wanted.title, wanted.abstract)


def text_of(paper: Paper, topics: Sequence[str]) -> SearchText:
    """A paper's words, as both engines index them."""
    columns = documents.columns(paper, topics)
    # SQLite looks phrases and columns up by itself.
    own = documents.keys_of(columns) if connection.vendor == "postgresql" else ""
    return SearchText(paper_id=paper.pk, keys=own, **columns)
