"""An order by meaning moves an order by words, a little."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from papers.search.fusion import reciprocal_rank_fusion


def test_without_a_second_order_the_first_stays():
    assert reciprocal_rank_fusion([3, 1, 2], []) == [3, 1, 2]


def test_what_is_near_rises_and_the_rest_keeps_its_order():
    assert reciprocal_rank_fusion([1, 2, 3, 4], [3]) == [3, 1, 2, 4]


def test_words_weigh_more_than_meaning():
    assert reciprocal_rank_fusion(list(range(100)), [99])[0] == 0


def test_what_was_not_found_by_words_is_not_added():
    assert reciprocal_rank_fusion([1, 2], [9, 2]) == [2, 1]


@given(st.lists(st.integers(), unique=True), st.lists(st.integers(), unique=True))
def test_nothing_is_lost(by_words, by_meaning):
    assert sorted(reciprocal_rank_fusion(by_words, by_meaning)) == sorted(by_words)
