"""Whatever is typed is a question, or nothing; never an error."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.search.query import MAX_TERMS, Query, QueryTerm, parse_query


def test_the_grammar():
    query = parse_query(
        'graph "message passing" -survey author:"Ada Lovelace" Topic:robotics category:cs.LG'
        " since:2026-05-01"
    )

    assert query.terms == (
        QueryTerm(("graph",)),
        QueryTerm(("message", "passing")),
        QueryTerm(("survey",), excluded=True),
        QueryTerm(("ada", "lovelace"), "author"),
        QueryTerm(("robotic",), "topic"),
        QueryTerm(("incategorycslg",), "category"),
    )
    assert (query.since, query.ignored) == (date(2026, 5, 1), ())


def test_words_that_stand_together_are_looked_for_together():
    assert parse_query("self-attention").terms == (QueryTerm(("self", "attention")),)
    assert parse_query("author: erdos").terms == (QueryTerm(("erdo",), "author"),)


@pytest.mark.parametrize(
    "typed",
    ["2605.01234", "2605.01234v3", "https://arxiv.org/pdf/2605.01234v1", "arXiv:2605.01234"],
)
def test_an_address_of_arxiv_is_that_paper(typed):
    assert parse_query(typed).terms == (QueryTerm(("2605", "01234")),)


@pytest.mark.parametrize(
    "typed", ["", '"', '""', "AND NOT (", "the of", "-", "\x00", "-survey", "*"]
)
def test_what_names_nothing_asks_for_nothing(typed):
    assert not parse_query(typed).is_searchable


@pytest.mark.parametrize("typed", ["since:yesterday", "since:2026-13-01", "-since:2026-05-01"])
def test_a_day_that_is_none_is_said_to_be_left_aside(typed):
    assert parse_query(f"robot {typed}").ignored == (typed,)


def test_an_unbalanced_quote_is_no_quote():
    assert parse_query('"graph neural').terms == (QueryTerm(("graph",)), QueryTerm(("neural",)))


def test_no_more_is_looked_at_than_anybody_types():
    assert len(parse_query(" ".join(f"w{number}" for number in range(5_000))).terms) == MAX_TERMS
    assert parse_query("x" * 10_000).terms[0].tokens == ("x" * 60,)


def test_a_loosened_query_has_the_same_words_as_they_were_typed():
    assert parse_query('"graph nets" -survey author:Erdős since:2026-05-01').relaxed_text == (
        "graph nets Erdős"
    )
    assert parse_query("graph nets").relaxed_text == ""
    assert Query().relaxed_text == ""


@given(st.text())
def test_any_text_can_be_typed(typed):
    for term in parse_query(typed).terms:
        assert all(word.isalnum() for word in term.tokens)
