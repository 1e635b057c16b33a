"""Select the papers that one reader gets from an edition (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# Factors on the score of a paper in a preferred topic, and of one that matches a followed author or
# phrase.
PREFERRED_BOOST, NAMED_BOOST = 1.5, 2.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry reduced to what selection needs: id, topics, score and match keys."""

    entry_id: int
    topics: frozenset[str]
    score: float
    # Follows that it matches, such as "author:noether e" and "category:cs.RO".
    match_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interests:
    """What one reader wants. A reader who follows nothing gets every paper."""

    length: int
    minimum: int = 1
    # Followed topics, including the preferred ones.
    topics: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    muted: frozenset[str] = frozenset()
    # Followed categories, and followed authors and phrases: label by match key.
    categories: Mapping[str, str] = field(default_factory=dict)
    named_follows: Mapping[str, str] = field(default_factory=dict)
    # Relative change of a topic's score, learned from votes (subscribers/preferences/learning.py).
    topic_adjustments: Mapping[str, float] = field(default_factory=dict)

    @property
    def subjects(self) -> frozenset[str]:
        return self.topics.union(self.categories)


@dataclass(frozen=True, slots=True)
class Selection:
    """A reader's papers, and how many were eligible."""

    papers: tuple[Candidate, ...]
    eligible_count: int


def choose(candidates: Iterable[Candidate], interests: Interests) -> Selection:
    """Select at most `length` candidates, best first; none if fewer than `minimum` are eligible.

    A third of the places is reserved for followed authors and phrases, and a third for the best paper
    of each followed topic and category. The rest goes to the papers of the highest weight.
    """
    ranked = rank_eligible(candidates, interests)
    if len(ranked) < interests.minimum:
        return Selection((), len(ranked))
    third = interests.length // 3
    named = [paper for paper in ranked if not paper.match_keys.isdisjoint(interests.named_follows)]
    selected = {*named[:third], *best_per_subject(ranked, interests.subjects)[:third]}
    for paper in ranked:
        if len(selected) == interests.length:
            break
        selected.add(paper)
    return Selection(tuple(paper for paper in ranked if paper in selected), len(ranked))


def rank_eligible(candidates: Iterable[Candidate], interests: Interests) -> list[Candidate]:
    """Return the candidates that are followed and not muted, by descending weight."""
    followed = interests.subjects.union(interests.named_follows)
    eligible = [
        paper
        for paper in candidates
        if paper.topics.isdisjoint(interests.muted)
        and (
            not followed
            or not paper.topics.isdisjoint(followed)
            or not paper.match_keys.isdisjoint(followed)
        )
    ]
    return sorted(eligible, key=lambda paper: (-weight(paper, interests), paper.entry_id))


def weight(candidate: Candidate, interests: Interests) -> float:
    """Return the score of a paper for this reader."""
    score = candidate.score
    if not candidate.topics.isdisjoint(interests.preferred):
        score *= PREFERRED_BOOST
    if not candidate.match_keys.isdisjoint(interests.named_follows):
        score *= NAMED_BOOST
    return (
        score * (1 + vote_adjustment(candidate, interests))
        if interests.topic_adjustments
        else score
    )


def vote_adjustment(candidate: Candidate, interests: Interests) -> float:
    """Return the mean adjustment of the paper's topics, learned from votes."""
    topics = candidate.topics
    return (
        sum(interests.topic_adjustments.get(topic, 0.0) for topic in topics) / len(topics)
        if topics
        else 0.0
    )


def best_per_subject(ranked: Sequence[Candidate], subjects: frozenset[str]) -> list[Candidate]:
    """Return the best candidate of each subject, without repetition, best first."""
    remaining = set(subjects)
    best = []
    for paper in ranked:
        if served := (paper.topics | paper.match_keys) & remaining:
            remaining -= served
            best.append(paper)
    return best
