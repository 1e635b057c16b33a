"""Two orders of the same papers become one (pure).

Reciprocal rank fusion: a place counts 1 / (60 + place), so the first few of a list weigh most and
scores of different kinds need not be compared. The order by meaning weighs a quarter: at equal
weight a paper that merely sounds alike comes before the one that has the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

RRF_K, SEMANTIC_WEIGHT = 60, 0.25


def reciprocal_rank_fusion(lexical_ids: Sequence[int], semantic_ids: Iterable[int]) -> list[int]:
    """The papers of the first list, moved towards their place in the second."""
    near = {paper: place for place, paper in enumerate(semantic_ids)}
    far = float("inf")

    def score(at: int) -> float:
        words = (1 - SEMANTIC_WEIGHT) / (RRF_K + at)
        return words + SEMANTIC_WEIGHT / (RRF_K + near.get(lexical_ids[at], far))

    return [lexical_ids[at] for at in sorted(range(len(lexical_ids)), key=score, reverse=True)]
