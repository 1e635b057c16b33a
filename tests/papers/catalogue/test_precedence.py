"""Whom to believe, whatever came first."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.catalogue import precedence

EMPTY: dict[str, Any] = {
    "title": "",
    "code_url": "",
    "withdrawn": False,
    "listed_on": None,
    "published_on": None,
}
# Who says what, and when.
Said = tuple[str, int, dict[str, Any]]


def told(*tellings: Said) -> dict[str, Any]:
    """What is known after these, in this order."""
    known, tellers = dict(EMPTY), precedence.Provenance()
    for source, at, news in tellings:
        changed, tellers = precedence.merge_by_priority(
            known, tellers, news, source=source, reported_at=at
        )
        known |= changed
    return known


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_arxiv_knows_a_title_best_and_its_latest_word_counts(order):
    tellings: list[Said] = [
        ("arxiv", 1, {"title": "First"}),
        ("arxiv", 2, {"title": "Revised"}),
        ("huggingface", 3, {"title": "As it was typed"}),
    ]

    assert told(*(tellings[each] for each in order))["title"] == "Revised"


def test_the_community_knows_best_where_the_code_is():
    by_authors: Said = ("arxiv", 9, {"code_url": "https://github.com/a/old"})
    by_community: Said = ("huggingface", 1, {"code_url": "https://github.com/a/new"})

    assert told(by_authors, by_community)["code_url"] == "https://github.com/a/new"
    assert told(by_community, by_authors)["code_url"] == "https://github.com/a/new"


def test_an_old_answer_that_is_read_late_takes_nothing_back():
    newer: Said = ("huggingface", 9, {"title": "New"})
    older: Said = ("huggingface", 1, {"title": "Old"})

    assert told(newer, older)["title"] == "New"


def test_the_same_word_again_counts_as_the_latest():
    first: Said = ("huggingface", 1, {"title": "A"})
    meanwhile: Said = ("huggingface", 2, {"title": "B"})
    again: Said = ("huggingface", 3, {"title": "A"})

    assert told(first, again, meanwhile)["title"] == "A"


def test_withdrawn_is_what_one_of_them_says_until_it_says_otherwise():
    retracted: Said = ("openalex", 1, {"withdrawn": True})
    unaware: Said = ("arxiv", 9, {"withdrawn": False})
    mistaken: Said = ("openalex", 10, {"withdrawn": False})

    assert told(retracted, unaware)["withdrawn"] is True
    assert told(unaware, retracted)["withdrawn"] is True
    assert told(retracted, unaware, mistaken)["withdrawn"] is False


def test_the_earliest_day_stays():
    late: Said = ("arxiv", 1, {"listed_on": date(2026, 5, 12)})
    early: Said = ("sample", 1, {"listed_on": date(2026, 5, 10)})

    assert told(late, early)["listed_on"] == told(early, late)["listed_on"] == date(2026, 5, 10)


def test_a_source_that_nobody_knows_is_believed_least():
    assert precedence.priority("title", "somebody") == 0
    assert min(precedence.priority("title", name) for name in precedence.SOURCE_PRIORITY) == 1


@pytest.mark.parametrize("field", precedence.FIELD_SOURCE_PRIORITY)
def test_whoever_is_believed_about_one_field_is_a_source(field):
    assert sorted(precedence.FIELD_SOURCE_PRIORITY[field]) == sorted(precedence.SOURCE_PRIORITY)


news = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["A", "B", "BB"]),
        "withdrawn": st.booleans(),
        "published_on": st.dates(date(2026, 1, 1), date(2026, 1, 9)),
    },
)
sayings = st.lists(
    st.tuples(st.sampled_from(precedence.SOURCE_PRIORITY[:3]), st.integers(0, 3), news), max_size=6
)


@given(sayings, st.randoms())
def test_the_order_never_matters(tellings, random):
    shuffled = tellings.copy()
    random.shuffle(shuffled)

    assert told(*shuffled) == told(*tellings) == told(*tellings, *shuffled)
