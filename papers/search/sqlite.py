"""Full-text search on SQLite: an FTS5 index over the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection

from papers.search.query import Query, QueryTerm

# The weights of title, people, labels and abstract.
SEARCH_SQL = """
WITH matches AS (
    SELECT paper_id, day, bm25(papers_searchtext_fts, 10, 4, 4, 1) AS distance
    FROM papers_searchtext_fts
    JOIN papers_searchtext ON paper_id = papers_searchtext_fts.rowid
    WHERE papers_searchtext_fts MATCH %(terms)s AND day BETWEEN %(since)s AND %(until)s
),
newest AS (SELECT * FROM matches ORDER BY day DESC, paper_id DESC LIMIT %(max_results)s)
SELECT paper_id, count(*) OVER () FROM newest
ORDER BY distance, day DESC, paper_id DESC
LIMIT %(limit)s OFFSET %(offset)s
"""
WORD_EXISTS_SQL = """EXISTS (
    SELECT 1 FROM papers_searchtext_fts WHERE papers_searchtext_fts MATCH %s
)"""
REBUILD_SQL = "INSERT INTO papers_searchtext_fts (papers_searchtext_fts) VALUES ('rebuild')"


class SQLiteBackend:
    """Search in the virtual table `papers_searchtext_fts`."""

    # FTS5 finds phrases and columns by itself.
    uses_index_terms = False

    def search_ids(
        self, query: Query, *, max_results: int, offset: int, limit: int
    ) -> list[tuple[int, int]]:
        """Return paper ids, best first, each with the number of all matches."""
        sql, parameters = search_statement(
            query, max_results=max_results, offset=offset, limit=limit
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[int, int]] = cursor.fetchall()
        return rows

    def words_exist(self, words: Sequence[str]) -> list[bool]:
        """Return for each word whether any paper has it, in one query."""
        columns = ", ".join([WORD_EXISTS_SQL] * len(words))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns}", [f'"{word}"' for word in words])
            return list(map(bool, cursor.fetchone()))

    def rebuild(self) -> None:
        """Rebuild the FTS5 index from the rows, in case its triggers did not run."""
        with connection.cursor() as cursor:
            cursor.execute(REBUILD_SQL)


def search_statement(
    query: Query, *, max_results: int, offset: int, limit: int
) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a search and its parameters."""
    return SEARCH_SQL, {
        "terms": match_expression(query.terms),
        "since": (query.since or date.min).isoformat(),
        "until": (query.until or date.max).isoformat(),
        "max_results": max_results,
        "offset": offset,
        "limit": limit,
    }


def match_expression(terms: Sequence[QueryTerm]) -> str:
    """Return the FTS5 query: (required AND required) NOT excluded NOT excluded."""
    # FTS5's NOT takes two operands, so there is no query of excluded terms alone.
    required = [match_term(term) for term in terms if not term.excluded]
    excluded = [match_term(term) for term in terms if term.excluded]
    return " NOT ".join([f"({' AND '.join(required)})", *excluded])


def match_term(term: QueryTerm) -> str:
    phrase = f'"{term.index_term or " ".join(term.tokens)}"'
    return f"(people : {phrase})" if term.field == "author" else phrase
