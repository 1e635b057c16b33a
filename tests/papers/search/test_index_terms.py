"""Keys stand for what would take reading; days are looked through in windows."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.search import index_terms


def test_a_topic_is_found_by_each_part_of_its_name():
    assert set(index_terms.topic_terms([["large", "language", "model"]])) == {
        "intopiclarge",
        "intopiclanguage",
        "intopicmodel",
        "intopiclargelanguage",
        "intopiclanguagemodel",
        "intopiclargelanguagemodel",
    }


def test_words_that_adjoin_share_a_key_in_that_order_only():
    (forth,), (back,) = index_terms.bigrams(["state", "art"]), index_terms.bigrams(["art", "state"])

    assert forth != back
    assert [forth] == list(index_terms.bigrams(["state", "art"])) == ["state_art"]
    assert list(index_terms.bigrams(["state"])) == []


@given(st.integers(0, 800_000), st.integers(0, 9_999), st.data())
def test_a_paper_is_in_a_stretch_of_days_if_its_day_is(start, length, data):
    start, end = index_terms.week_start(start), index_terms.week_start(start + length)
    number = data.draw(st.integers(start, end + 99).map(lambda each: max(each - 50, 1)))
    own = set(index_terms.date_terms(date.fromordinal(number)))

    assert len(own & set(index_terms.covering_buckets(start, end))) == (start <= number < end)


def test_few_stretches_make_up_many_days():
    assert list(index_terms.covering_buckets(112 * 9 - 7, 112 * 10 + 35)) == [
        "in7days143",
        "in112days9",
        "in28days40",
        "in7days164",
    ]


@pytest.mark.parametrize(
    ("edges", "windows"),
    [
        ([], []),
        ([9_998], [range(9_996, 10_080)]),
        ([9_990, 9_970], [range(9_989, 10_080), range(9_968, 9_989)]),
        ([9_990, 9_990], [range(9_989, 10_080)]),
    ],
)
def test_windows_end_where_a_stretch_of_days_begins(edges, windows):
    assert index_terms.recency_windows(10_000, edges) == windows


@given(st.integers(1, 800_000), st.lists(st.integers(0, 3_000), max_size=5).map(sorted))
def test_windows_follow_each_other_to_each_edge_or_before(newest, ages):
    edges = [max(newest - age, 1) for age in ages]

    windows = index_terms.recency_windows(newest, edges)

    for later, earlier in pairwise(windows):
        assert earlier.stop == later.start
    assert all(any(edge in window for window in windows) for edge in edges)
    assert not windows or windows[0].stop > newest + 2 * index_terms.BUCKET_DAYS[1]
