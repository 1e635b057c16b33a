"""Full-text search on PostgreSQL: one tsvector per paper, under one GIN index.

The statement is built around three costs:

- Reading a document to verify a match costs more than everything else, and the planner does not
  account for it. So index terms turn most conditions into GIN look-ups, and sequential scans are
  disabled.
- A common word matches most papers. So the windows are searched one after the other: UNION ALL runs
  its branches in order until the LIMIT around it is reached. Do not sort between the two.
- Ranking by the whole document has to read it. So all matches are ranked by their titles, and only
  the first `RERANK_DEPTH` by all of their words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from django.db import connection

from papers.search import index_terms
from papers.search.query import Query, QueryTerm
from papers.search.windows import SearchWindow, search_windows

# How many of the best matches by title are ranked again by all of their words.
RERANK_DEPTH = 100

# Holds until the end of the transaction.
SETTINGS_SQL = "SET LOCAL enable_seqscan = off"

# The weights are those of abstract, labels, people and title. The last argument of `ts_rank`, 1,
# divides a rank by the logarithm of the document's length.
SEARCH_SQL = """
WITH newest AS (
    SELECT * FROM ({windows}) AS matches LIMIT %(max_results)s
),
ranked_by_title AS (
    SELECT *, ts_rank(headline, to_tsquery('simple', %(any_word)s)) AS title_rank FROM newest
),
placed AS (
    SELECT paper_id, title_rank, count(*) OVER () AS total,
        row_number() OVER (ORDER BY title_rank DESC, day DESC, paper_id DESC) AS place
    FROM ranked_by_title
)
SELECT paper_id, total FROM placed
ORDER BY title_rank DESC,
    CASE WHEN place <= %(rerank_depth)s THEN (
        SELECT ts_rank(
            ARRAY[0.1, 0.4, 0.4, 1.0]::real[], document, to_tsquery('simple', %(all_words)s), 1
        )
        FROM papers_searchtext AS text WHERE text.paper_id = placed.paper_id
    ) END DESC NULLS LAST,
    place
LIMIT %(limit)s OFFSET %(offset)s
"""

# One branch of `windows`: the newest matches of a few days.
WINDOW_SQL = """(
    SELECT paper_id, day, headline FROM papers_searchtext
    WHERE document @@ ({terms} && %({window}_buckets)s::tsquery)
        AND day BETWEEN %(since)s AND %(until)s
        {skipped_days}
    ORDER BY day DESC, paper_id DESC LIMIT %(max_results)s
)"""
# As ordinals, not as dates: a window may reach beyond the last possible date.
SKIPPED_DAYS_SQL = (
    "AND day - DATE '0001-01-01' + 1 NOT BETWEEN %({window}_first)s AND %({window}_last)s"
)

# One part of `terms`. `to_tsquery` splits words in the way that the indexed text was split. It would
# split index terms too, so these are cast.
TERM_SQL = "(%({term}_index)s::tsquery && to_tsquery('simple', %({term}_words)s))"

WORD_EXISTS_SQL = """EXISTS (
    SELECT 1 FROM papers_searchtext WHERE document @@ to_tsquery('simple', %s)
)"""


class PostgreSQLBackend:
    """Search in the column `document` of `papers_searchtext`."""

    uses_index_terms = True

    def search_ids(
        self, query: Query, *, max_results: int, offset: int, limit: int
    ) -> list[tuple[int, int]]:
        """Return paper ids, best first, each with the number of all matches."""
        sql, parameters = search_statement(
            query, max_results=max_results, offset=offset, limit=limit
        )
        with connection.cursor() as cursor:
            # One round trip, which is one transaction where none is open: SET LOCAL needs one.
            cursor.execute(f"{SETTINGS_SQL}; {sql}", parameters)
            cursor.nextset()  # Skip the empty result of SET LOCAL.
            rows: list[tuple[int, int]] = cursor.fetchall()
        return rows

    def words_exist(self, words: Sequence[str]) -> list[bool]:
        """Return for each word whether any paper has it, in one query."""
        columns = ", ".join([WORD_EXISTS_SQL] * len(words))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns}", [f"'{word}'" for word in words])
            return list(cursor.fetchone())

    def rebuild(self) -> None:
        """Do nothing: `document` is a generated column."""


def search_statement(
    query: Query, *, max_results: int, offset: int, limit: int
) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a search and its parameters.

    Run `SETTINGS_SQL` in the same transaction first, also before an EXPLAIN.
    """
    terms, term_parameters = terms_expression(query.terms)
    windows, window_parameters = window_branches(search_windows(query.since), terms)
    words = sorted({word for term in query.terms if not term.excluded for word in term.tokens})
    return SEARCH_SQL.format(windows=windows), {
        "since": (query.since or date.min).isoformat(),
        "until": (query.until or date.max).isoformat(),
        "any_word": " | ".join(f"'{word}'" for word in words),
        "all_words": " & ".join(f"'{word}'" for word in words),
        "max_results": max_results,
        "rerank_depth": RERANK_DEPTH,
        "offset": offset,
        "limit": limit,
        **term_parameters,
        **window_parameters,
    }


def window_branches(windows: Iterable[SearchWindow], terms: str) -> tuple[str, dict[str, Any]]:
    """Return the SQL that searches each window of days (UNION ALL), and its parameters."""
    branches = []
    parameters: dict[str, Any] = {}
    for number, window in enumerate(windows):
        name = f"window{number}"
        skipped_days = ""
        if window.skipped_days:
            skipped_days = SKIPPED_DAYS_SQL.format(window=name)
            parameters[f"{name}_first"] = window.skipped_days[0]
            parameters[f"{name}_last"] = window.skipped_days[-1]
        parameters[f"{name}_buckets"] = " | ".join(window.date_buckets)
        branches.append(WINDOW_SQL.format(terms=terms, window=name, skipped_days=skipped_days))
    return " UNION ALL ".join(branches), parameters


def terms_expression(terms: Sequence[QueryTerm]) -> tuple[str, dict[str, Any]]:
    """Return a tsquery expression that requires or excludes each term, and its parameters."""
    parts = []
    parameters: dict[str, Any] = {}
    for number, term in enumerate(terms):
        name = f"term{number}"
        parameters[f"{name}_index"] = " & ".join(f"'{word}'" for word in required_index_terms(term))
        parameters[f"{name}_words"] = phrase_expression(term)
        part = TERM_SQL.format(term=name)
        parts.append(f"!!{part}" if term.excluded else part)
    return " && ".join(parts), parameters


def required_index_terms(term: QueryTerm) -> Iterator[str]:
    """Yield the index terms that a match must have; few other papers have all of them."""
    if term.index_term:
        yield term.index_term
        return
    if term.field == "author":
        yield from map(index_terms.author_term, term.tokens)
    yield from index_terms.bigrams(term.tokens)


def phrase_expression(term: QueryTerm) -> str:
    """Return the tsquery text for what the index terms leave open; empty if they decide it.

    They decide a topic, a category, one name of an author, and two adjacent words.
    """
    is_author = term.field == "author"
    if term.index_term or len(term.tokens) == (1 if is_author else 2):
        return ""
    weight = ":B" if is_author else ""
    return " <-> ".join(f"'{word}'{weight}" for word in term.tokens)
