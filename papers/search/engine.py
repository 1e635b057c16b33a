"""Full-text search over papers, and the index behind it, on PostgreSQL and SQLite.

Each paper has one row of tokens, `SearchText`, apart from the paper itself, so that a vote does not
rewrite it. Only this module writes these rows. PostgreSQL keeps a tsvector with a GIN index over
them, SQLite an FTS5 index (papers/migrations/0002); the database updates both in the transaction
that changes the row. postgresql.py and sqlite.py find the same papers and may rank them differently.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db import connection, transaction
from django.db.models import Max

from papers.models import Embedding, Paper, SearchText
from papers.search import documents
from papers.search.fusion import reciprocal_rank_fusion
from papers.search.postgresql import PostgreSQLBackend
from papers.search.query import Query, QueryTerm
from papers.search.sqlite import SQLiteBackend

# Only the newest matches are ranked and counted, so that a common word costs no more than a rare one.
MAX_RESULTS = 2_000
INDEX_BATCH_SIZE = 500
STORED_COLUMNS = ("day", *documents.TEXT_COLUMNS, "keys")


class SearchBackend(Protocol):
    """The operations that differ between database engines."""

    @property
    def uses_index_terms(self) -> bool: ...

    def search_ids(
        self, query: Query, *, max_results: int, offset: int, limit: int
    ) -> list[tuple[int, int]]: ...

    def words_exist(self, words: Sequence[str]) -> list[bool]: ...

    def rebuild(self) -> None: ...


BACKENDS: Mapping[str, SearchBackend] = {
    "postgresql": PostgreSQLBackend(),
    "sqlite": SQLiteBackend(),
}


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of results, best first, and the number of all matches, up to `MAX_RESULTS`."""

    papers: Sequence[Paper] = ()
    total: int = 0

    @property
    def is_capped(self) -> bool:
        return self.total >= MAX_RESULTS


def get_backend() -> SearchBackend:
    return BACKENDS[connection.vendor]


def search(
    query: Query, *, offset: int = 0, limit: int = 20, semantic_ids: Sequence[int] = ()
) -> ResultPage:
    """Return a page of the papers that match every term, in three queries.

    Those that are among `semantic_ids` as well move up.
    """
    if semantic_ids:
        # Moving some up needs the place of every match, not only of this page's.
        matches = search_ids(query)
        lexical_ids = [paper_id for paper_id, _ in matches]
        ids = reciprocal_rank_fusion(lexical_ids, semantic_ids)[offset : offset + limit]
    else:
        matches = search_ids(query, offset=offset, limit=limit)
        ids = [paper_id for paper_id, _ in matches]
    papers = Paper.objects.with_topics().in_bulk(ids)
    ordered = [papers[paper_id] for paper_id in ids if paper_id in papers]
    return ResultPage(ordered, matches[0][1] if matches else 0)


def search_ids(query: Query, *, offset: int = 0, limit: int = MAX_RESULTS) -> list[tuple[int, int]]:
    """Return paper ids, best first, each with the number of all matches, in one query."""
    if not query.is_searchable:
        return []
    return get_backend().search_ids(query, max_results=MAX_RESULTS, offset=offset, limit=limit)


def unmatched_terms(query: Query) -> list[QueryTerm]:
    """Return the bare words of a query that no paper has."""
    bare_words = [term for term in query.terms if term.is_bare_word]
    if not bare_words:
        return []
    exist = get_backend().words_exist([term.tokens[0] for term in bare_words])
    return [term for term, exists in zip(bare_words, exist, strict=True) if not exists]


def update_index(papers: Sequence[Paper]) -> int:
    """Update the rows of these papers in three queries; return how many changed.

    Runs in the caller's transaction, so that a paper and its row are stored together or not at all.
    Delete the embedding of a paper whose text changed; a worker computes it again. A repeat changes
    nothing.
    """
    if not papers:
        return 0
    topic_names: dict[int, list[str]] = defaultdict(list)
    links = Paper.topics.through.objects.filter(paper__in=papers).order_by("topic__slug")
    for paper_id, name, slug in links.values_list("paper_id", "topic__name", "topic__slug"):
        topic_names[paper_id] += [name, slug]
    existing = {row.paper_id: row for row in SearchText.objects.filter(paper__in=papers)}
    # Rows are locked in the order of their ids, or two concurrent updates could deadlock.
    rows = [
        build_search_text(paper, topic_names[paper.pk])
        for paper in sorted(papers, key=lambda paper: paper.pk)
    ]
    changed = [row for row in rows if not is_unchanged(existing.get(row.paper_id), row)]
    if changed:
        SearchText.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["paper"], update_fields=STORED_COLUMNS
        )
    if reworded := [
        row.paper_id for row in changed if text_changed(existing.get(row.paper_id), row)
    ]:
        Embedding.objects.filter(paper__in=reworded).delete()
    return len(changed)


def rebuild_index() -> Iterator[int]:
    """Index all papers again, a transaction per batch; yield the size of each batch."""
    last_id, max_id = 0, Paper.objects.aggregate(max_id=Max("pk"))["max_id"] or 0
    while last_id < max_id:
        with transaction.atomic():
            newer = Paper.objects.filter(pk__gt=last_id).order_by("pk")
            ids = list(newer.values_list("pk", flat=True)[:INDEX_BATCH_SIZE])
            # Locked in the catalogue's order, or an old text could replace a new one.
            papers = Paper.objects.filter(pk__in=ids).order_by("identity")
            update_index(list(papers.select_for_update(no_key=True)))
        if not ids:
            break
        last_id = ids[-1]
        yield len(ids)
    get_backend().rebuild()


def is_unchanged(existing: SearchText | None, updated: SearchText) -> bool:
    return existing is not None and all(
        getattr(existing, name) == getattr(updated, name) for name in STORED_COLUMNS
    )


def text_changed(existing: SearchText | None, updated: SearchText) -> bool:
    return existing is not None and (existing.title, existing.abstract) != (
        updated.title,
        updated.abstract,
    )


def build_search_text(paper: Paper, topic_names: Sequence[str]) -> SearchText:
    """Return a paper's row of tokens, unsaved."""
    columns = documents.index_columns(paper, topic_names)
    keys = documents.build_index_terms(columns) if get_backend().uses_index_terms else ""
    return SearchText(paper_id=paper.pk, keys=keys, **columns)
