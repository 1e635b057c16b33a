"""Why a paper is in a digest, as data and in words (pure: no Django, no clock)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The figures of the moment when the edition was made; the same for every reader."""

    upvotes: int
    # Upvotes since about a day before; None without anything to compare with.
    gain: int | None = None
    comments: int = 0
    has_code: bool = False
    # The best place among the day's papers of a topic.
    place: int | None = None
    topic: str = ""

    def words(self) -> list[str]:
        facts = [f"#{self.place} in {self.topic}"] if self.place else []
        facts.append(counted(self.upvotes, "upvote"))
        if self.gain and self.gain > 0:
            facts.append(f"+{self.gain} since yesterday")
        if self.comments:
            facts.append(counted(self.comments, "comment"))
        if self.has_code:
            facts.append("with code")
        return facts


def counted(number: int, thing: str) -> str:
    return f"1 {thing}" if number == 1 else f"{number} {thing}s"


def of_yours(matched: frozenset[str], labels: Mapping[str, str]) -> list[str]:
    """What a reader follows and finds in it, as they wrote it, in the order of their list."""
    return [phrase(key, label) for key, label in labels.items() if key in matched]


def phrase(key: str, label: str) -> str:
    match key.partition(":")[0]:
        case "author":
            return f"by {label}, whom you follow"
        case "keyword":
            return f"mentions {label}"
        case _:
            return f"in {label}, which you follow"
