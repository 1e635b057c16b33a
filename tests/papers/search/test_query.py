"""Whatever is typed is a question, or nothing; never an error."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.search.query import MOST_TERMS, Query, Term, parse


def test_the_grammar():
    query = parse(
        'graph "message passing" -survey author:"Ada Lovelace" Topic:robotics category:cs.LG'
        " since:2026-05-01"
    )

    assert query.terms == (
        Term(("graph",)),
        Term(("message", "passing")),
        Term(("survey",), excluded=True),
        Term(("ada", "lovelace"), "author"),
        Term(("robotic",), "topic"),
        Term(("incategorycslg",), "category"),
    )
    assert (query.since, query.ignored) == (date(2026, 5, 1), ())


def test_words_that_stand_together_are_looked_for_together():
    assert parse("self-attention").terms == (Term(("self", "attention")),)
    assert parse("author: erdos").terms == (Term(("erdo",), "author"),)


@pytest.mark.parametrize(
    "typed",
    ["2605.01234", "2605.01234v3", "https://arxiv.org/pdf/2605.01234v1", "arXiv:2605.01234"],
)
def test_an_address_of_arxiv_is_that_paper(typed):
    assert parse(typed).terms == (Term(("2605", "01234")),)


@pytest.mark.parametrize(
    "typed", ["", '"', '""', "AND NOT (", "the of", "-", "\x00", "-survey", "*"]
)
def test_what_names_nothing_asks_for_nothing(typed):
    assert not parse(typed).asks_for_something


@pytest.mark.parametrize("typed", ["since:yesterday", "since:2026-13-01", "-since:2026-05-01"])
def test_a_day_that_is_none_is_said_to_be_left_aside(typed):
    assert parse(f"robot {typed}").ignored == (typed,)


def test_an_unbalanced_quote_is_no_quote():
    assert parse('"graph neural').terms == (Term(("graph",)), Term(("neural",)))


def test_no_more_is_looked_at_than_anybody_types():
    assert len(parse(" ".join(f"w{number}" for number in range(5_000))).terms) == MOST_TERMS
    assert parse("x" * 10_000).terms[0].words == ("x" * 60,)


def test_a_loosened_query_has_the_same_words_as_they_were_typed():
    assert parse('"graph nets" -survey author:Erdős since:2026-05-01').loosened == (
        "graph nets Erdős"
    )
    assert parse("graph nets").loosened == ""
    assert Query().loosened == ""


@given(st.text())
def test_any_text_can_be_typed(typed):
    for term in parse(typed).terms:
        assert all(word.isalnum() for word in term.words)
