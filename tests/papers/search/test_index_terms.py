"""Index terms stand for topics, bigrams and days; windows are ranges of days."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.search import index_terms


def test_each_run_of_words_in_a_topic_name_is_a_term():
    assert set(index_terms.topic_terms([["large", "language", "model"]])) == {
        "intopiclarge",
        "intopiclanguage",
        "intopicmodel",
        "intopiclargelanguage",
        "intopiclanguagemodel",
        "intopiclargelanguagemodel",
    }


def test_bigrams_keep_the_order_of_the_words():
    assert list(index_terms.bigrams(["state", "art"])) == ["state_art"]
    assert list(index_terms.bigrams(["art", "state"])) == ["art_state"]
    assert list(index_terms.bigrams(["state"])) == []


@given(st.integers(0, 800_000), st.integers(0, 9_999), st.data())
def test_covering_buckets_contain_a_day_exactly_if_the_range_does(start, length, data):
    start, end = index_terms.week_start(start), index_terms.week_start(start + length)
    day = data.draw(st.integers(start, end + 99).map(lambda number: max(number - 50, 1)))
    terms = set(index_terms.date_terms(date.fromordinal(day)))

    assert len(terms & set(index_terms.covering_buckets(start, end))) == (start <= day < end)


def test_the_fewest_buckets_cover_a_range():
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
def test_windows_start_where_a_bucket_starts(edges, windows):
    assert index_terms.recency_windows(10_000, edges) == windows


@given(st.integers(1, 800_000), st.lists(st.integers(0, 3_000), max_size=5).map(sorted))
def test_windows_are_adjacent_and_contain_each_edge(newest, ages):
    edges = [max(newest - age, 1) for age in ages]

    windows = index_terms.recency_windows(newest, edges)

    for later, earlier in pairwise(windows):
        assert earlier.stop == later.start
    assert all(any(edge in window for window in windows) for edge in edges)
    assert not windows or windows[0].stop > newest + 2 * index_terms.BUCKET_DAYS[1]
