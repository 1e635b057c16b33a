"""Load the rules in topics.json, and find their phrases in a text (pure: no Django, no clock).

Each topic has phrases, weak phrases and arXiv categories.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TOPICS_FILE = Path(__file__).with_name("topics.json")

TOKEN_PATTERN = re.compile(r"[a-z0-9]+|\.(?=\s)")
# A word leads to the words that may follow it; None to the matches of a phrase that ends here.
Trie = dict[str | None, Any]
# Topic slug, phrase, and whether the phrase is weak.
PhraseMatch = tuple[str, str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRule:
    """A topic in topics.json."""

    slug: str
    name: str
    description: str
    # Categories that are enough alone, and those that count only if the text has no topic.
    categories: frozenset[str]
    general_categories: frozenset[str]
    # Strong in the title, weak in the abstract.
    title_phrases: tuple[str, ...]
    phrases: tuple[str, ...]
    weak_phrases: tuple[str, ...]


@cache
def load_rules() -> tuple[TopicRule, ...]:
    """Return the topics in the order of the file: the most popular first."""
    rows = json.loads(TOPICS_FILE.read_text(encoding="utf-8"))["topics"]
    return tuple(
        TopicRule(
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


@cache
def slugs_by_category(*, general: bool) -> dict[str, list[str]]:
    slugs: dict[str, list[str]] = {}
    for rule in load_rules():
        for category_id in rule.general_categories if general else rule.categories:
            slugs.setdefault(category_id, []).append(rule.slug)
    return slugs


def find_phrases(tokens: Sequence[str], root: Trie) -> Counter[PhraseMatch]:
    """Return the phrases in a text with the number of their occurrences.

    A weak phrase inside a longer one does not count: "vision" in "vision-language".
    """
    matches: list[PhraseMatch] = []
    # The furthest end of a strong phrase that began before the current token.
    covered_end = 0
    for start, token in enumerate(tokens):
        if (node := root.get(token)) is None:
            continue
        end, strong_end, weak_matches = start, 0, []
        while node is not None:
            end += 1
            for match in node.get(None, ()):
                if match[2]:
                    weak_matches.append((end, match))
                else:
                    matches.append(match)
                    strong_end = end
            node = node.get(tokens[end]) if end < len(tokens) else None
        matches += [
            match
            for weak_end, match in weak_matches
            if weak_end > covered_end and weak_end >= strong_end
        ]
        covered_end = max(covered_end, strong_end)
    return Counter(matches)


@cache
def phrase_trie(*, for_title: bool) -> Trie:
    """Build the trie of all topics' phrases, for titles or for other texts."""
    root: Trie = {}
    for rule in load_rules():
        strong, weak = rule.phrases, rule.weak_phrases
        if for_title:
            strong += rule.title_phrases
        else:
            weak += rule.title_phrases
        for is_weak, phrases in ((False, strong), (True, weak)):
            for phrase in phrases:
                node = root
                for token in tokenize_for_rules(phrase):
                    node = node.setdefault(token, {})
                matches = node.setdefault(None, [])
                if all(slug != rule.slug for slug, _, _ in matches):
                    matches.append((rule.slug, phrase, is_weak))
    return root


def tokenize_for_rules(text: str) -> list[str]:
    """Return lower-case words and full stops; hyphens separate words, as in self-attention."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return TOKEN_PATTERN.findall(text.lower())
