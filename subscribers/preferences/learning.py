"""What a reader's votes say about topics (pure: no Django, no clock).

Each topic's votes are counted for and against. The smoothed odds, (more + 1) / (less + 1), squeezed
between -1 and 1 by the hyperbolic tangent of half their logarithm, come down to

    (more - less) / (more + less + 2)

and a paper's score changes by at most a quarter of that. docs/your-digest.md works it out by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

# What a vote says, and what having opened a paper does, where an operator has clicks counted.
VOTE_WEIGHT, CLICK_WEIGHT = 1.0, 0.25
# Somebody whom nobody knows has voted once for each topic and once against it.
PRIOR = 1.0
# However many votes there are, a score changes by less than this share of it.
MAX_ADJUSTMENT = 0.25


@dataclass(frozen=True, slots=True)
class WeightedVote:
    """A sign that a reader wants more papers, or with a negative weight fewer, of these topics."""

    topics: frozenset[str]
    weight: float


def topic_adjustments(votes: Iterable[WeightedVote]) -> dict[str, float]:
    """By which share the score of a topic's papers changes, for each topic that tells of itself."""
    more: Counter[str] = Counter()
    less: Counter[str] = Counter()
    for each in votes:
        side = more if each.weight > 0 else less
        for topic in each.topics:
            side[topic] += abs(each.weight)  # type: ignore[assignment]
    return {
        topic: adjustment(more[topic], less[topic]) for topic in sorted(more.keys() | less.keys())
    }


def adjustment(more_weight: float, less_weight: float) -> float:
    return MAX_ADJUSTMENT * (more_weight - less_weight) / (more_weight + less_weight + 2 * PRIOR)
