"""The search statement of SQLite: its FTS5 query, and how it is planned."""

from __future__ import annotations

import pytest
from django.db import connection

from papers.search import sqlite
from papers.search.query import parse_query


@pytest.mark.parametrize(
    ("typed", "expression"),
    [
        ("robot", '("robot")'),
        ('"robot arm" graph', '("robot arm" AND "graph")'),
        ("robot -survey -topic:speech", '("robot") NOT "survey" NOT "intopicspeech"'),
        ('author:"Ada Lovelace"', '((people : "ada lovelace"))'),
    ],
)
def test_a_query_becomes_an_fts5_expression(typed: str, expression: str) -> None:
    assert sqlite.match_expression(parse_query(typed).terms) == expression


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans of SQLite only")
def test_the_statement_can_be_explained_and_starts_from_the_fts5_index() -> None:
    sql, parameters = sqlite.search_statement(
        parse_query("robot since:2026-05-01"), max_results=2_000, offset=0, limit=20
    )

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
        details = [row[-1] for row in cursor.fetchall()]

    scans = [detail for detail in details if "papers_searchtext" in detail]
    assert scans[0].startswith("SCAN papers_searchtext_fts VIRTUAL TABLE INDEX")
    assert scans[1].startswith("SEARCH papers_searchtext USING INDEX")
