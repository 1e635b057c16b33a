"""Reasons why a paper is in a digest, as data and as short phrases (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """An entry's figures, frozen when its edition was published; the same for every reader."""

    upvotes: int
    # Upvotes gained in about a day; None if there is no earlier reading to compare with.
    gain: int | None = None
    comments: int = 0
    has_code: bool = False
    # The paper's best rank within one of its topics, and the name of that topic.
    topic_rank: int | None = None
    topic: str = ""

    def phrases(self) -> list[str]:
        """Return the reasons in the order to show them, such as ["#2 in Robotics", "1 upvote"]."""
        phrases = [f"#{self.topic_rank} in {self.topic}"] if self.topic_rank else []
        phrases.append(pluralise(self.upvotes, "upvote"))
        if self.gain and self.gain > 0:
            phrases.append(f"+{self.gain} since yesterday")
        if self.comments:
            phrases.append(pluralise(self.comments, "comment"))
        if self.has_code:
            phrases.append("with code")
        return phrases


def pluralise(count: int, noun: str) -> str:
    """Return the count with its noun: "1 paper", "2 papers"."""
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def personal_reasons(match_keys: frozenset[str], labels: Mapping[str, str]) -> list[str]:
    """Return a phrase for each followed term that matches, in the order of `labels`.

    `labels` map match keys to the text the reader typed.
    """
    return [describe_match(key, label) for key, label in labels.items() if key in match_keys]


def describe_match(key: str, label: str) -> str:
    match key.partition(":")[0]:
        case "author":
            return f"by {label}, whom you follow"
        case "keyword":
            return f"mentions {label}"
        case _:
            return f"in {label}, which you follow"
