"""The semantic ranking moves papers within the lexical one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from papers.search.fusion import reciprocal_rank_fusion


def test_without_semantic_ids_the_lexical_order_stays():
    assert reciprocal_rank_fusion([3, 1, 2], []) == [3, 1, 2]


def test_a_near_paper_rises_and_the_others_keep_their_order():
    assert reciprocal_rank_fusion([1, 2, 3, 4], [3]) == [3, 1, 2, 4]


def test_the_lexical_ranking_outweighs_the_semantic_one():
    assert reciprocal_rank_fusion(list(range(100)), [99])[0] == 0


def test_semantic_ids_without_a_lexical_match_are_not_added():
    assert reciprocal_rank_fusion([1, 2], [9, 2]) == [2, 1]


@given(st.lists(st.integers(), unique=True), st.lists(st.integers(), unique=True))
def test_every_lexical_id_is_kept(lexical_ids, semantic_ids):
    assert sorted(reciprocal_rank_fusion(lexical_ids, semantic_ids)) == sorted(lexical_ids)
