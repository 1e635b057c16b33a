"""Which of an edition's papers one reader gets (pure: no Django, no clock)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry as choosing sees it: its id, what it is about, and how hot it is."""

    entry_id: int
    topics: frozenset[str]
    score: float


def choose(
    candidates: Sequence[Candidate], *, wanted: Collection[str], length: int
) -> list[Candidate]:
    """At most `length` candidates about a wanted topic, the hottest first; none wanted means all.

    A third of the places is kept so that wanted topics show at least their best paper; the others
    go to the hottest papers, whichever topic they are about.
    """
    ranked = sorted(candidates, key=lambda each: (-each.score, each.entry_id))
    topics = frozenset(wanted)
    if topics:
        ranked = [each for each in ranked if each.topics & topics]
    places = bests(ranked, topics)[: length // 3]
    chosen = set(places)
    for each in ranked:
        if len(chosen) == length:
            break
        chosen.add(each)
    return [each for each in ranked if each in chosen]


def bests(ranked: Sequence[Candidate], topics: frozenset[str]) -> list[Candidate]:
    """The best candidate of each topic, without repetition, the hottest first."""
    unserved = set(topics)
    found = []
    for each in ranked:
        if each.topics & unserved:
            unserved -= each.topics
            found.append(each)
    return found
