"""Reciprocal rank fusion of a lexical and a semantic ranking (pure).

A place in a ranking counts 1 / (RRF_K + place), so the first few places weigh most and scores of
different kinds need not be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

RRF_K = 60
# At equal weight, a paper on a similar subject would outrank one that has the words.
SEMANTIC_WEIGHT = 0.25


def reciprocal_rank_fusion(lexical_ids: Sequence[int], semantic_ids: Iterable[int]) -> list[int]:
    """Return the lexical ids, moved towards their places in the semantic ranking.

    Ids that are only in the semantic ranking are not added.
    """
    semantic_places = {paper_id: place for place, paper_id in enumerate(semantic_ids)}

    def score(place: int) -> float:
        semantic_place = semantic_places.get(lexical_ids[place], float("inf"))
        lexical_score = (1 - SEMANTIC_WEIGHT) / (RRF_K + place)
        return lexical_score + SEMANTIC_WEIGHT / (RRF_K + semantic_place)

    ordered = sorted(range(len(lexical_ids)), key=score, reverse=True)
    return [lexical_ids[place] for place in ordered]
