"""Select the papers of one reader's digest (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# A paper's score is multiplied by these if it has a preferred topic, or an author or keyword that
# the reader follows by name.
PREFERRED_BOOST, NAMED_BOOST = 1.5, 2.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry with what selection needs: its topic slugs, trending score and match keys."""

    entry_id: int
    topics: frozenset[str]
    score: float
    # Followed authors, categories and keywords in it: "author:noether e", "category:cs.RO".
    match_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interests:
    """The interests of one reader; a reader who follows nothing gets everything."""

    # The most papers in a digest, and the fewest that must match for one to be sent.
    length: int
    minimum: int = 1
    # Followed topics, including the preferred ones.
    topics: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    muted: frozenset[str] = frozenset()
    # Match keys of followed categories, and of authors and keywords, to the text the reader typed.
    categories: Mapping[str, str] = field(default_factory=dict)
    named_follows: Mapping[str, str] = field(default_factory=dict)
    # Relative change of the score by topic, from votes (subscribers/preferences/learning.py).
    topic_adjustments: Mapping[str, float] = field(default_factory=dict)

    @property
    def subjects(self) -> frozenset[str]:
        return self.topics.union(self.categories)


@dataclass(frozen=True, slots=True)
class Selection:
    """The papers of a digest in order, and how many were eligible."""

    papers: tuple[Candidate, ...]
    eligible_count: int


def choose(candidates: Iterable[Candidate], interests: Interests) -> Selection:
    """Return up to `length` candidates by descending weight; none if fewer than `minimum` match.

    A third of the places is reserved for authors and keywords followed by name, another third for
    the best paper of each followed topic and category. The rest, and reserved places that are not
    needed, go to the papers of the highest weight.
    """
    ranked = rank_eligible(candidates, interests)
    if len(ranked) < interests.minimum:
        return Selection((), len(ranked))
    third = interests.length // 3
    named = [
        candidate
        for candidate in ranked
        if not candidate.match_keys.isdisjoint(interests.named_follows)
    ]
    chosen = {*named[:third], *best_per_subject(ranked, interests.subjects)[:third]}
    for candidate in ranked:
        if len(chosen) == interests.length:
            break
        chosen.add(candidate)
    return Selection(tuple(candidate for candidate in ranked if candidate in chosen), len(ranked))


def rank_eligible(candidates: Iterable[Candidate], interests: Interests) -> list[Candidate]:
    """Return the candidates that are followed and not muted, by descending weight.

    One muted topic excludes a paper, even if another of its topics is followed.
    """
    followed = interests.subjects.union(interests.named_follows)
    eligible = [
        candidate
        for candidate in candidates
        if candidate.topics.isdisjoint(interests.muted)
        and (
            not followed
            or not candidate.topics.isdisjoint(followed)
            or not candidate.match_keys.isdisjoint(followed)
        )
    ]
    return sorted(
        eligible, key=lambda candidate: (-weight(candidate, interests), candidate.entry_id)
    )


def weight(candidate: Candidate, interests: Interests) -> float:
    """Return a paper's score for this reader: boosted by preferences, adjusted by votes."""
    score = candidate.score
    if not candidate.topics.isdisjoint(interests.preferred):
        score *= PREFERRED_BOOST
    if not candidate.match_keys.isdisjoint(interests.named_follows):
        score *= NAMED_BOOST
    if interests.topic_adjustments:
        score *= 1 + vote_adjustment(candidate, interests)
    return score


def vote_adjustment(candidate: Candidate, interests: Interests) -> float:
    """Return the mean adjustment of a paper's topics, from the reader's votes; 0.0 without any."""
    if not candidate.topics:
        return 0.0
    adjustments = [interests.topic_adjustments.get(topic, 0.0) for topic in candidate.topics]
    return sum(adjustments) / len(adjustments)


def best_per_subject(ranked: Sequence[Candidate], subjects: frozenset[str]) -> list[Candidate]:
    """Return the first candidate of each subject, each candidate once, in the order of `ranked`."""
    missing = set(subjects)
    best = []
    for candidate in ranked:
        if represented := (candidate.topics | candidate.match_keys) & missing:
            missing -= represented
            best.append(candidate)
    return best
