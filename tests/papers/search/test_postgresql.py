"""The search statement of PostgreSQL: what the index answers, and how it is planned."""

from __future__ import annotations

import pytest
from django.db import connection

from papers.search import engine, postgresql
from papers.search.query import Query, QueryTerm, parse_query
from papers.search.windows import SearchWindow
from tests import factories


def parse_term(typed: str) -> QueryTerm:
    (term,) = parse_query(typed).terms
    return term


@pytest.mark.parametrize(
    ("typed", "index_terms", "phrase"),
    [
        ("robot", [], "'robot'"),
        ('"robot arm"', ["robot_arm"], ""),
        ('"one robot arm"', ["one_robot", "robot_arm"], "'one' <-> 'robot' <-> 'arm'"),
        ("author:ada", ["inauthorada"], ""),
        (
            'author:"Ada Lovelace"',
            ["inauthorada", "inauthorlovelace", "ada_lovelace"],
            "'ada':B <-> 'lovelace':B",
        ),
        ("topic:robotics", ["intopicrobotic"], ""),
        ("category:cs.RO", ["incategorycsro"], ""),
    ],
)
def test_a_term_is_answered_by_index_terms_and_only_the_rest_by_the_document(
    typed: str, index_terms: list[str], phrase: str
) -> None:
    term = parse_term(typed)

    assert list(postgresql.required_index_terms(term)) == index_terms
    assert postgresql.phrase_expression(term) == phrase


def test_each_window_is_a_branch_and_the_last_skips_the_days_of_the_others() -> None:
    windows = [SearchWindow(("in7days9", "in7days8")), SearchWindow(skipped_days=range(56, 70))]

    branches, parameters = postgresql.window_branches(windows, "terms")

    newest, older = branches.split(" UNION ALL ")
    assert "NOT BETWEEN" not in newest
    assert "NOT BETWEEN %(window1_first)s AND %(window1_last)s" in older
    assert parameters == {
        "window0_buckets": "in7days9 | in7days8",
        "window1_buckets": "",
        "window1_first": 56,
        "window1_last": 69,
    }


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans of PostgreSQL only")
@pytest.mark.parametrize("typed", ["robot", 'robot -survey author:ada "one robot arm"'])
def test_the_statement_can_be_explained_and_uses_the_gin_index(typed: str) -> None:
    papers = [factories.paper(title=f"Robot {number}") for number in range(20)]
    engine.update_index(papers)

    plan = explain(parse_query(typed))

    assert "Bitmap Index Scan on papers_searchtext_document" in plan
    assert "Seq Scan on papers_searchtext" not in plan


def explain(query: Query) -> str:
    sql, parameters = postgresql.search_statement(query, max_results=2_000, offset=0, limit=20)
    with connection.cursor() as cursor:
        cursor.execute(postgresql.SETTINGS_SQL)
        cursor.execute(f"EXPLAIN {sql}", parameters)
        return "\n".join(line for (line,) in cursor.fetchall())
