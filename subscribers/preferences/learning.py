"""Learn from a reader's votes which topics to rank higher or lower (pure: no Django, no clock).

For each topic, `more` and `less` are the weights of the votes for and against it. The adjustment is

    MAX_ADJUSTMENT * (more - less) / (more + less + 2)

The fraction is tanh(log(odds) / 2), with the smoothed odds (more + 1) / (less + 1): it lies between
-1 and 1. docs/readers/your-digest.md has a worked example; change both together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

# The weight of a vote, and of a click if a caller has clicks to pass.
VOTE_WEIGHT, CLICK_WEIGHT = 1.0, 0.25
# Smoothing: every topic starts with one vote for and one against it.
PRIOR = 1.0
# A score changes by less than this fraction of it, however many votes there are.
MAX_ADJUSTMENT = 0.25


@dataclass(frozen=True, slots=True)
class WeightedVote:
    """A vote for more papers of these topics or, with a negative weight, for fewer."""

    topics: frozenset[str]
    weight: float


def topic_adjustments(votes: Iterable[WeightedVote]) -> dict[str, float]:
    """Return the relative change of the score of a topic's papers, for each topic with votes."""
    more: defaultdict[str, float] = defaultdict(float)
    less: defaultdict[str, float] = defaultdict(float)
    for vote in votes:
        weights = more if vote.weight > 0 else less
        for topic in vote.topics:
            weights[topic] += abs(vote.weight)
    return {
        topic: adjustment(more[topic], less[topic]) for topic in sorted(more.keys() | less.keys())
    }


def adjustment(more_weight: float, less_weight: float) -> float:
    return MAX_ADJUSTMENT * (more_weight - less_weight) / (more_weight + less_weight + 2 * PRIOR)
