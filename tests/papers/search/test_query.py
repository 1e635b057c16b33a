"""Any text parses into a query; none is an error."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.search.query import MAX_TERMS, Query, QueryTerm, parse_query


def test_words_phrases_fields_exclusions_and_dates_are_parsed():
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


def test_words_joined_by_punctuation_are_a_phrase():
    assert parse_query("self-attention").terms == (QueryTerm(("self", "attention")),)
    assert parse_query("author: erdos").terms == (QueryTerm(("erdo",), "author"),)


@pytest.mark.parametrize(
    "typed",
    ["2605.01234", "2605.01234v3", "https://arxiv.org/pdf/2605.01234v1", "arXiv:2605.01234"],
)
def test_an_arxiv_id_or_address_is_a_search_for_that_paper(typed):
    assert parse_query(typed).terms == (QueryTerm(("2605", "01234")),)


@pytest.mark.parametrize(
    "typed", ["", '"', '""', "AND NOT (", "the of", "-", "\x00", "-survey", "*"]
)
def test_a_query_without_a_required_word_is_not_searchable(typed):
    assert not parse_query(typed).is_searchable


@pytest.mark.parametrize("typed", ["since:yesterday", "since:2026-13-01", "-since:2026-05-01"])
def test_an_invalid_date_is_reported_as_ignored(typed):
    assert parse_query(f"robot {typed}").ignored == (typed,)


def test_an_unbalanced_quote_is_ignored():
    assert parse_query('"graph neural').terms == (QueryTerm(("graph",)), QueryTerm(("neural",)))


def test_long_queries_and_words_are_cut():
    assert len(parse_query(" ".join(f"w{number}" for number in range(5_000))).terms) == MAX_TERMS
    assert parse_query("x" * 10_000).terms[0].tokens == ("x" * 60,)


def test_the_relaxed_text_has_the_required_words_as_typed():
    assert parse_query('"graph nets" -survey author:Erdős since:2026-05-01').relaxed_text == (
        "graph nets Erdős"
    )
    assert parse_query("graph nets").relaxed_text == ""
    assert Query().relaxed_text == ""


@given(st.text())
def test_any_text_is_parsed_into_alphanumeric_words(typed):
    for term in parse_query(typed).terms:
        assert all(word.isalnum() for word in term.tokens)
