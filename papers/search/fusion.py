"""Two orders of the same papers become one (pure).

Reciprocal rank fusion: a place counts 1 / (60 + place), so the first few of a list weigh most and
scores of different kinds need not be compared. The order by meaning weighs a quarter: at equal
weight a paper that merely sounds alike comes before the one that has the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

PLACES, BY_MEANING = 60, 0.25


def fused(by_words: Sequence[int], by_meaning: Iterable[int]) -> list[int]:
    """The papers of the first list, moved towards their place in the second."""
    near = {paper: place for place, paper in enumerate(by_meaning)}
    far = float("inf")

    def score(at: int) -> float:
        words = (1 - BY_MEANING) / (PLACES + at)
        return words + BY_MEANING / (PLACES + near.get(by_words[at], far))

    return [by_words[at] for at in sorted(range(len(by_words)), key=score, reverse=True)]
