"""Why a paper is in a digest, as data and in words (pure: no Django, no clock)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """The figures of the moment when the edition was made; the same for every reader."""

    upvotes: int
    # Upvotes since about a day before; None without anything to compare with.
    gain: int | None = None
    comments: int = 0
    has_code: bool = False
    # The best place among the day's papers of a topic.
    topic_rank: int | None = None
    topic: str = ""

    def phrases(self) -> list[str]:
        facts = [f"#{self.topic_rank} in {self.topic}"] if self.topic_rank else []
        facts.append(pluralise(self.upvotes, "upvote"))
        if self.gain and self.gain > 0:
            facts.append(f"+{self.gain} since yesterday")
        if self.comments:
            facts.append(pluralise(self.comments, "comment"))
        if self.has_code:
            facts.append("with code")
        return facts


def pluralise(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def personal_reasons(match_keys: frozenset[str], labels: Mapping[str, str]) -> list[str]:
    """What a reader follows and finds in it, as they wrote it, in the order of their list."""
    return [describe_match(key, label) for key, label in labels.items() if key in match_keys]


def describe_match(key: str, label: str) -> str:
    match key.partition(":")[0]:
        case "author":
            return f"by {label}, whom you follow"
        case "keyword":
            return f"mentions {label}"
        case _:
            return f"in {label}, which you follow"
