"""Which topics a paper is about, by rules (pure: no Django, no clock).

Each topic in topics.json has phrases, weaker phrases and arXiv categories. A phrase in the title or
an own category gives a paper the topic; other phrases if they weigh enough, also beside the paper's
first topic.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("topics.json")

# What one phrase adds: in the title, in the abstract, and if it comes again there.
IN_TITLE, IN_TEXT, AGAIN = 3.0, 1.0, 0.75
WEAK = 0.5
# A category that is the topic's own says as much as a phrase in the title.
BY_CATEGORY = 3.0
# Two phrases in the abstract, or one that comes again.
ENOUGH = 1.75
# Words as common as "training" mean something only together: without another phrase, so many.
FEWEST_WEAK = 2
# Beside the first topic, those with this share of its weight, or with as much as a title says.
SHARE, SURELY = 0.4, 3.0
MOST_TOPICS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One topic as topics.json has it."""

    slug: str
    name: str
    description: str
    categories: frozenset[str]
    phrases: tuple[str, ...]
    weak_phrases: tuple[str, ...]


WORD = re.compile(r"[a-z0-9]+|\.(?=\s)")

# Words to the words that may follow; under None the topics of the phrase that ends here.
Trie = dict[str | None, Any]
# A topic's slug, which of its phrases, and whether that one is weak.
Found = tuple[str, str, bool]


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
            phrases=tuple(row["phrases"]),
            weak_phrases=tuple(row["weak_phrases"]),
        )
        for row in rows
    )


def match(
    title: str, abstract: str, categories: Iterable[str] = (), keywords: Iterable[str] = ()
) -> list[str]:
    """The slugs of a paper's topics, the surest first."""
    # Full stops around keywords, so that no phrase is found across two of them.
    in_text = find(words(f"{abstract} . {' . '.join(keywords)}"))
    in_title = find(words(title))
    own = set(categories)
    by_category = [rule.slug for rule in load() if not own.isdisjoint(rule.categories)]

    weights: defaultdict[str, float] = defaultdict(float)
    for (slug, _, weak), times in in_text.items():
        weights[slug] += (IN_TEXT + AGAIN * (times > 1)) * (WEAK if weak else 1)
    for slug, _, weak in in_title:
        weights[slug] += IN_TITLE * (WEAK if weak else 1)
    for slug in by_category:
        weights[slug] += BY_CATEGORY

    # What the title or the authors' category says needs no comparison.
    said = {slug for slug, _, weak in in_title if not weak}.union(by_category)
    meant = not_vague(in_title.keys() | in_text.keys())
    ranked = sorted(weights, key=lambda slug: (-weights[slug], slug))
    enough = max([ENOUGH, *(min(SHARE * weights[slug], SURELY) for slug in ranked[:1])])
    found = [slug for slug in ranked if slug in said or (slug in meant and weights[slug] >= enough)]
    return found[:MOST_TOPICS]


def not_vague(found: Collection[Found]) -> set[str]:
    """The topics with a phrase of their own, or with several weak ones."""
    strong = {slug for slug, _, weak in found if not weak}
    phrases = Counter(slug for slug, _, _ in found)
    return strong | {slug for slug, number in phrases.items() if number >= FEWEST_WEAK}


def find(text: Sequence[str]) -> Counter[Found]:
    """Each topic's phrases in the words, and how often each is there.

    A weak phrase within a longer phrase says nothing of its own: "vision" in "vision-language".
    """
    found: list[Found] = []
    first = trie()
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
def trie() -> Trie:
    first: Trie = {}
    for rule in load():
        for weak, phrases in ((False, rule.phrases), (True, rule.weak_phrases)):
            for phrase in phrases:
                node = first
                for word in words(phrase):
                    node = node.setdefault(word, {})
                # "few-shot" and "few shot" are one phrase.
                ends = node.setdefault(None, [])
                if all(slug != rule.slug for slug, _, _ in ends):
                    ends.append((rule.slug, phrase, weak))
    return first


def words(text: str) -> list[str]:
    """Lower-case words and full stops; hyphens part words, so self-attention is self attention."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return WORD.findall(text.lower())
