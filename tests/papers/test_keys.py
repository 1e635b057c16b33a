"""Keys stand for what would take reading; weeks are looked through in windows."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers import keys

SIZES = ((10, 3), (50, 4))


def test_a_topic_is_found_by_each_part_of_its_name():
    assert set(keys.topics([["large", "language", "model"]])) == {
        "intopiclarge",
        "intopiclanguage",
        "intopicmodel",
        "intopiclargelanguage",
        "intopiclanguagemodel",
        "intopiclargelanguagemodel",
    }


def test_words_that_adjoin_share_a_key_in_that_order_only():
    (forth,), (back,) = keys.pairs(["state", "art"]), keys.pairs(["art", "state"])

    assert forth != back
    assert [forth] == list(keys.pairs(["state", "art"]))
    assert list(keys.pairs(["state"])) == []


def test_a_week_begins_on_its_first_day():
    for day in (date(1, 1, 1), date(2026, 5, 12), date(2026, 5, 13)):
        number = keys.number(day)
        assert keys.first_day(number) <= day < keys.first_day(number + 1)


@pytest.mark.parametrize(
    ("papers", "windows"),
    [
        ({}, []),
        ({7: 10}, []),
        ({7: 6, 6: 5}, [range(6, 8)]),
        ({7: 60, 6: 60, 5: 60}, [range(7, 8), range(6, 7)]),
        ({20: 1, 19: 1, 18: 1, 17: 9}, [range(18, 21), range(17, 18)]),
        ({2_000: 1, 20: 100}, [range(1998, 2001), range(1994, 1998)]),
    ],
)
def test_windows_end_at_enough_papers_or_enough_weeks(papers, windows):
    assert keys.windows(papers, SIZES) == windows


@given(st.dictionaries(st.integers(0, 300), st.integers(1, 60)))
def test_windows_follow_each_other_from_the_newest_week_backwards(papers):
    windows = keys.windows(papers, SIZES)

    for later, earlier in pairwise(windows):
        assert earlier.stop == later.start
    assert not windows or windows[0].stop == max(papers) + 1
