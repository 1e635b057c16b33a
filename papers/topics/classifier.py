"""Which topics a paper is about, by rules (pure: no Django, no clock).

Each topic in topics.json has phrases, weaker phrases and arXiv categories. A phrase in the title or
an own category gives a paper the topic; other phrases if they weigh enough, also beside the paper's
first topic. docs/topics.md explains it, `explain_topics` shows it for a paper.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from papers.topics.categories import canonicals

FILE = Path(__file__).with_name("topics.json")

# What one phrase adds: in the title, in the abstract, and if it comes again there.
IN_TITLE, IN_TEXT, AGAIN = 3.0, 1.0, 0.75
WEAK = 0.5
# A category that is the topic's own says as much as a phrase in the title; a general one, which
# papers on much else are filed under too, as much as a phrase in the abstract.
BY_CATEGORY, BY_GENERAL = 3.0, 1.0
# Two phrases in the abstract, or one that comes again.
ENOUGH = 1.75
# Words as common as "training" mean something only together, and if no phrase says more: so many.
FEWEST_WEAK = 2
# Beside the first topic, those with this share of its weight, or with as much as this.
SHARE, SURELY = 0.5, 4.0
MOST_TOPICS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One topic as topics.json has it."""

    slug: str
    name: str
    description: str
    # Those that say the topic alone, and those that do if the text says nothing else.
    categories: frozenset[str]
    general_categories: frozenset[str]
    # Those that are weak in the abstract, and strong in the title.
    title_phrases: tuple[str, ...]
    phrases: tuple[str, ...]
    weak_phrases: tuple[str, ...]


WORD = re.compile(r"[a-z0-9]+|\.(?=\s)")
# Benchmarks are named for what they are: AgentBench.
NAMED_BENCH = re.compile(r"(?<=\w)bench\b", re.IGNORECASE)

# Where something is found.
TITLE, ABSTRACT, KEYWORDS, CATEGORY, GENERAL = (
    "title",
    "abstract",
    "keywords",
    "category",
    "general category",
)

# Words to the words that may follow; under None the topics of the phrase that ends here.
Trie = dict[str | None, Any]
# A topic's slug, which of its phrases, and whether that one is weak.
Found = tuple[str, str, bool]


class Piece(NamedTuple):
    """One thing that speaks for a topic: a phrase with where it stands, or a category."""

    slug: str
    text: str
    place: str
    times: int
    weak: bool
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What was found in a paper, and what follows from it."""

    pieces: list[Piece]
    weights: dict[str, float]
    enough: float
    # Topics that the title or the authors' category says: they need no comparison.
    said: set[str]
    # Topics with more than common words.
    meant: set[str]
    chosen: list[str]

    def lacking(self, slug: str) -> str:
        """Why it is none of the paper's topics; empty if it is one."""
        if slug in self.chosen:
            return ""
        if slug in self.said or (slug in self.meant and self.weights[slug] >= self.enough):
            return f"{MOST_TOPICS} others weigh more"
        if slug not in self.meant:
            return "only common words"
        return f"less than {self.enough:.2f}"


@cache
def load() -> tuple[Rule, ...]:
    """The topics, in the file's order: the most followed first."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["topics"]
    return tuple(
        Rule(
            slug=row["slug"],
            name=row["name"],
            description=row["description"],
            categories=frozenset(row["arxiv_primary"]),
            general_categories=frozenset(row["arxiv_general"]),
            title_phrases=tuple(row["title_phrases"]),
            phrases=tuple(row["phrases"]),
            weak_phrases=tuple(row["weak_phrases"]),
        )
        for row in rows
    )


def match(
    title: str, abstract: str, categories: Iterable[str] = (), keywords: Iterable[str] = ()
) -> list[str]:
    """The slugs of a paper's topics, the surest first."""
    return weigh(title, abstract, categories, keywords).chosen


def weigh(
    title: str, abstract: str, categories: Iterable[str] = (), keywords: Iterable[str] = ()
) -> Weighing:
    """All that `match` goes by, for whoever asks why."""
    pieces = [
        *pieces_of_title(find(words(NAMED_BENCH.sub(" bench", title)), trie(of_title=True))),
        *pieces_of_text(
            find(words(abstract), trie(of_title=False)),
            # Full stops between keywords, so that no phrase is found across two of them.
            find(words(" . ".join(keywords)), trie(of_title=False)),
        ),
        *pieces_of_categories(canonicals(categories)),
    ]
    weights: defaultdict[str, float] = defaultdict(float)
    for piece in pieces:
        weights[piece.slug] += piece.weight
    ranked = sorted(weights, key=lambda slug: (-weights[slug], slug))
    enough = max([ENOUGH, *(min(SHARE * weights[slug], SURELY) for slug in ranked[:1])])

    meant = {piece.slug for piece in pieces if not piece.weak}
    said = {each.slug for each in pieces if not each.weak and each.place in (TITLE, CATEGORY)}
    chosen = [
        slug for slug in ranked if slug in said or (slug in meant and weights[slug] >= enough)
    ]
    if not chosen:
        meant |= not_vague(pieces)
        chosen = [slug for slug in ranked if slug in meant and weights[slug] >= enough]
    if not chosen:
        chosen = [piece.slug for piece in pieces if piece.place == GENERAL]
    return Weighing(
        pieces=pieces,
        weights=dict(weights),
        enough=enough,
        said=said,
        meant=meant,
        chosen=chosen[:MOST_TOPICS],
    )


def pieces_of_title(found: Counter[Found]) -> Iterator[Piece]:
    for (slug, phrase, weak), times in found.items():
        yield Piece(slug, phrase, TITLE, times, weak, IN_TITLE * (WEAK if weak else 1))


def pieces_of_text(abstract: Counter[Found], keywords: Counter[Found]) -> Iterator[Piece]:
    """Keywords are read as if they stood at the abstract's end."""
    for each, times in (abstract + keywords if keywords else abstract).items():
        slug, phrase, weak = each
        place = ABSTRACT if each not in keywords else KEYWORDS
        if place == KEYWORDS and each in abstract:
            place = f"{ABSTRACT} and {KEYWORDS}"
        weight = (IN_TEXT + AGAIN * (times > 1)) * (WEAK if weak else 1)
        yield Piece(slug, phrase, place, times, weak, weight)


def pieces_of_categories(ids: Sequence[str]) -> Iterator[Piece]:
    for place, weight in ((CATEGORY, BY_CATEGORY), (GENERAL, BY_GENERAL)):
        for slug, each in filed(ids, of_general=place == GENERAL).items():
            yield Piece(slug, each, place, 1, place == GENERAL, weight)


def filed(ids: Sequence[str], *, of_general: bool) -> dict[str, str]:
    """The topics that categories say, each with the first that does."""
    owners = topics_of_categories(of_general=of_general)
    return {slug: each for each in reversed(ids) for slug in owners.get(each, ())}


@cache
def topics_of_categories(*, of_general: bool) -> dict[str, list[str]]:
    owners: dict[str, list[str]] = {}
    for rule in load():
        for each in rule.general_categories if of_general else rule.categories:
            owners.setdefault(each, []).append(rule.slug)
    return owners


def not_vague(pieces: Iterable[Piece]) -> set[str]:
    """The topics with several phrases, however common."""
    phrases = {(piece.slug, piece.text) for piece in pieces if piece.place != GENERAL}
    numbers = Counter(slug for slug, _ in phrases)
    return {slug for slug, number in numbers.items() if number >= FEWEST_WEAK}


def find(text: Sequence[str], first: Trie) -> Counter[Found]:
    """Each topic's phrases in the words, and how often each is there.

    A weak phrase within a longer phrase says nothing of its own: "vision" in "vision-language".
    """
    found: list[Found] = []
    # How far the strong phrases reach that began before this word.
    reach = 0
    for start, word in enumerate(text):
        if (node := first.get(word)) is None:
            continue
        end, here, weak = start, 0, []
        while node is not None:
            end += 1
            for each in node.get(None, ()):
                if each[2]:
                    weak.append((end, each))
                else:
                    found.append(each)
                    here = end
            node = node.get(text[end]) if end < len(text) else None
        found += [each for end, each in weak if end > reach and end >= here]
        reach = max(reach, here)
    return Counter(found)


@cache
def trie(*, of_title: bool) -> Trie:
    first: Trie = {}
    for rule in load():
        strong, weak = rule.phrases, rule.weak_phrases
        if of_title:
            strong += rule.title_phrases
        else:
            weak += rule.title_phrases
        for is_weak, phrases in ((False, strong), (True, weak)):
            for phrase in phrases:
                node = first
                for word in words(phrase):
                    node = node.setdefault(word, {})
                ends = node.setdefault(None, [])
                if all(slug != rule.slug for slug, _, _ in ends):
                    ends.append((rule.slug, phrase, is_weak))
    return first


def words(text: str) -> list[str]:
    """Lower-case words and full stops; hyphens part words, so self-attention is self attention."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return WORD.findall(text.lower())
