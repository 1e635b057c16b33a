"""Which of an edition's papers one reader gets (pure: no Django, no clock)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# A preferred topic makes a paper count for so much more, and so does somebody or something that
# the reader follows by name.
PREFERRED_BOOST, NAMED_BOOST = 1.5, 2.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry as choosing sees it: its id, what it is about, and how hot it is."""

    entry_id: int
    topics: frozenset[str]
    score: float
    # What else is in it that readers follow: "author:noether e", "category:cs.RO".
    match_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interests:
    """What one reader wants; nothing followed at all means everything."""

    length: int
    minimum: int = 1
    # Followed topics, the preferred ones too.
    topics: frozenset[str] = frozenset()
    preferred: frozenset[str] = frozenset()
    muted: frozenset[str] = frozenset()
    # Followed categories and, by name, authors and phrases: key to how the reader wrote it.
    categories: Mapping[str, str] = field(default_factory=dict)
    named_follows: Mapping[str, str] = field(default_factory=dict)
    # By which share a topic's papers count for more or less (subscribers/preferences/learning.py).
    topic_adjustments: Mapping[str, float] = field(default_factory=dict)

    @property
    def subjects(self) -> frozenset[str]:
        return self.topics.union(self.categories)


@dataclass(frozen=True, slots=True)
class Selection:
    """A reader's papers, and how many there were to choose from."""

    papers: tuple[Candidate, ...]
    eligible_count: int


def choose(candidates: Iterable[Candidate], interests: Interests) -> Selection:
    """At most `length` candidates, those first that weigh most; none if there are too few.

    A third of the places is kept for authors and phrases that are followed by name, another so that
    followed topics and categories show at least their best paper; the others go to the papers that
    weigh most, whatever they are about.
    """
    ranked = rank_eligible(candidates, interests)
    if len(ranked) < interests.minimum:
        return Selection((), len(ranked))
    third = interests.length // 3
    named = [each for each in ranked if not each.match_keys.isdisjoint(interests.named_follows)]
    chosen = {*named[:third], *best_per_subject(ranked, interests.subjects)[:third]}
    for each in ranked:
        if len(chosen) == interests.length:
            break
        chosen.add(each)
    return Selection(tuple(each for each in ranked if each in chosen), len(ranked))


def rank_eligible(candidates: Iterable[Candidate], interests: Interests) -> list[Candidate]:
    """What is followed and not muted, in the order of its weight."""
    followed = interests.subjects.union(interests.named_follows)
    found = [
        each
        for each in candidates
        if each.topics.isdisjoint(interests.muted)
        and (
            not followed
            or not each.topics.isdisjoint(followed)
            or not each.match_keys.isdisjoint(followed)
        )
    ]
    return sorted(found, key=lambda each: (-weight(each, interests), each.entry_id))


def weight(candidate: Candidate, interests: Interests) -> float:
    """How much a paper is worth to this reader."""
    worth = candidate.score
    if not candidate.topics.isdisjoint(interests.preferred):
        worth *= PREFERRED_BOOST
    if not candidate.match_keys.isdisjoint(interests.named_follows):
        worth *= NAMED_BOOST
    return (
        worth * (1 + vote_adjustment(candidate, interests))
        if interests.topic_adjustments
        else worth
    )


def vote_adjustment(candidate: Candidate, interests: Interests) -> float:
    """What the reader's votes say of a paper: the mean of what they say of its topics."""
    topics = candidate.topics
    return (
        sum(interests.topic_adjustments.get(topic, 0.0) for topic in topics) / len(topics)
        if topics
        else 0.0
    )


def best_per_subject(ranked: Sequence[Candidate], subjects: frozenset[str]) -> list[Candidate]:
    """The best candidate of each subject, without repetition, the hottest first."""
    unserved = set(subjects)
    found = []
    for each in ranked:
        if served := (each.topics | each.match_keys) & unserved:
            unserved -= served
            found.append(each)
    return found
