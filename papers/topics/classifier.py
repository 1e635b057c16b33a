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

from papers.topics.categories import canonical_ids

TOPICS_FILE = Path(__file__).with_name("topics.json")

# What one phrase adds: in the title, in the abstract, and if it comes again there.
TITLE_WEIGHT, ABSTRACT_WEIGHT, REPEAT_WEIGHT = 3.0, 1.0, 0.75
WEAK_FACTOR = 0.5
# A category that is the topic's own says as much as a phrase in the title; a general one, which
# papers on much else are filed under too, as much as a phrase in the abstract.
CATEGORY_WEIGHT, GENERAL_CATEGORY_WEIGHT = 3.0, 1.0
# Two phrases in the abstract, or one that comes again.
MIN_WEIGHT = 1.75
# Words as common as "training" mean something only together, and if no phrase says more: so many.
MIN_WEAK_PHRASES = 2
# Beside the first topic, those with this share of its weight, or with as much as this.
SECONDARY_SHARE, SECONDARY_CAP = 0.5, 4.0
MAX_TOPICS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRule:
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


TOKEN_PATTERN = re.compile(r"[a-z0-9]+|\.(?=\s)")
# Benchmarks are named for what they are: AgentBench.
BENCH_SUFFIX = re.compile(r"(?<=\w)bench\b", re.IGNORECASE)

# Where something is found.
TITLE, ABSTRACT, KEYWORDS, CATEGORY, GENERAL_CATEGORY = (
    "title",
    "abstract",
    "keywords",
    "category",
    "general category",
)

# Words to the words that may follow; under None the topics of the phrase that ends here.
Trie = dict[str | None, Any]
# A topic's slug, which of its phrases, and whether that one is weak.
PhraseMatch = tuple[str, str, bool]


class TopicEvidence(NamedTuple):
    """One thing that speaks for a topic: a phrase with where it stands, or a category."""

    slug: str
    text: str
    place: str
    occurrences: int
    weak: bool
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What was found in a paper, and what follows from it."""

    evidence: list[TopicEvidence]
    weights: dict[str, float]
    threshold: float
    # Topics that the title or the authors' category says: they need no comparison.
    certain: set[str]
    # Topics with more than common words.
    plausible: set[str]
    chosen: list[str]

    def reason_rejected(self, slug: str) -> str:
        """Why it is none of the paper's topics; empty if it is one."""
        if slug in self.chosen:
            return ""
        if slug in self.certain or (
            slug in self.plausible and self.weights[slug] >= self.threshold
        ):
            return f"{MAX_TOPICS} others weigh more"
        if slug not in self.plausible:
            return "only common words"
        return f"less than {self.threshold:.2f}"


@cache
def load_rules() -> tuple[TopicRule, ...]:
    """The topics, in the file's order: the most followed first."""
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


def topic_slugs(
    title: str, abstract: str, categories: Iterable[str] = (), keywords: Iterable[str] = ()
) -> list[str]:
    """The slugs of a paper's topics, the surest first."""
    return classify(title, abstract, categories, keywords).chosen


def classify(
    title: str, abstract: str, categories: Iterable[str] = (), keywords: Iterable[str] = ()
) -> Classification:
    """All that `match` goes by, for whoever asks why."""
    pieces = [
        *title_evidence(
            find_phrases(
                tokenize_for_rules(BENCH_SUFFIX.sub(" bench", title)), phrase_trie(for_title=True)
            )
        ),
        *text_evidence(
            find_phrases(tokenize_for_rules(abstract), phrase_trie(for_title=False)),
            # Full stops between keywords, so that no phrase is found across two of them.
            find_phrases(tokenize_for_rules(" . ".join(keywords)), phrase_trie(for_title=False)),
        ),
        *category_evidence(canonical_ids(categories)),
    ]
    weights: defaultdict[str, float] = defaultdict(float)
    for piece in pieces:
        weights[piece.slug] += piece.weight
    ranked = sorted(weights, key=lambda slug: (-weights[slug], slug))
    enough = max(
        [MIN_WEIGHT, *(min(SECONDARY_SHARE * weights[slug], SECONDARY_CAP) for slug in ranked[:1])]
    )

    meant = {piece.slug for piece in pieces if not piece.weak}
    said = {each.slug for each in pieces if not each.weak and each.place in (TITLE, CATEGORY)}
    chosen = [
        slug for slug in ranked if slug in said or (slug in meant and weights[slug] >= enough)
    ]
    if not chosen:
        meant |= topics_with_several_phrases(pieces)
        chosen = [slug for slug in ranked if slug in meant and weights[slug] >= enough]
    if not chosen:
        chosen = [piece.slug for piece in pieces if piece.place == GENERAL_CATEGORY]
    return Classification(
        evidence=pieces,
        weights=dict(weights),
        threshold=enough,
        certain=said,
        plausible=meant,
        chosen=chosen[:MAX_TOPICS],
    )


def title_evidence(matches: Counter[PhraseMatch]) -> Iterator[TopicEvidence]:
    for (slug, phrase, weak), times in matches.items():
        yield TopicEvidence(
            slug, phrase, TITLE, times, weak, TITLE_WEIGHT * (WEAK_FACTOR if weak else 1)
        )


def text_evidence(
    abstract: Counter[PhraseMatch], keywords: Counter[PhraseMatch]
) -> Iterator[TopicEvidence]:
    """Keywords are read as if they stood at the abstract's end."""
    for each, times in (abstract + keywords if keywords else abstract).items():
        slug, phrase, weak = each
        place = ABSTRACT if each not in keywords else KEYWORDS
        if place == KEYWORDS and each in abstract:
            place = f"{ABSTRACT} and {KEYWORDS}"
        weight = (ABSTRACT_WEIGHT + REPEAT_WEIGHT * (times > 1)) * (WEAK_FACTOR if weak else 1)
        yield TopicEvidence(slug, phrase, place, times, weak, weight)


def category_evidence(category_ids: Sequence[str]) -> Iterator[TopicEvidence]:
    for place, weight in ((CATEGORY, CATEGORY_WEIGHT), (GENERAL_CATEGORY, GENERAL_CATEGORY_WEIGHT)):
        for slug, each in topics_for_categories(
            category_ids, general=place == GENERAL_CATEGORY
        ).items():
            yield TopicEvidence(slug, each, place, 1, place == GENERAL_CATEGORY, weight)


def topics_for_categories(category_ids: Sequence[str], *, general: bool) -> dict[str, str]:
    """The topics that categories say, each with the first that does."""
    owners = slugs_by_category(general=general)
    return {slug: each for each in reversed(category_ids) for slug in owners.get(each, ())}


@cache
def slugs_by_category(*, general: bool) -> dict[str, list[str]]:
    owners: dict[str, list[str]] = {}
    for rule in load_rules():
        for each in rule.general_categories if general else rule.categories:
            owners.setdefault(each, []).append(rule.slug)
    return owners


def topics_with_several_phrases(evidence: Iterable[TopicEvidence]) -> set[str]:
    """The topics with several phrases, however common."""
    phrases = {(piece.slug, piece.text) for piece in evidence if piece.place != GENERAL_CATEGORY}
    numbers = Counter(slug for slug, _ in phrases)
    return {slug for slug, number in numbers.items() if number >= MIN_WEAK_PHRASES}


def find_phrases(tokens: Sequence[str], root: Trie) -> Counter[PhraseMatch]:
    """Each topic's phrases in the words, and how often each is there.

    A weak phrase within a longer phrase says nothing of its own: "vision" in "vision-language".
    """
    found: list[PhraseMatch] = []
    # How far the strong phrases reach that began before this word.
    reach = 0
    for start, word in enumerate(tokens):
        if (node := root.get(word)) is None:
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
            node = node.get(tokens[end]) if end < len(tokens) else None
        found += [each for end, each in weak if end > reach and end >= here]
        reach = max(reach, here)
    return Counter(found)


@cache
def phrase_trie(*, for_title: bool) -> Trie:
    first: Trie = {}
    for rule in load_rules():
        strong, weak = rule.phrases, rule.weak_phrases
        if for_title:
            strong += rule.title_phrases
        else:
            weak += rule.title_phrases
        for is_weak, phrases in ((False, strong), (True, weak)):
            for phrase in phrases:
                node = first
                for word in tokenize_for_rules(phrase):
                    node = node.setdefault(word, {})
                ends = node.setdefault(None, [])
                if all(slug != rule.slug for slug, _, _ in ends):
                    ends.append((rule.slug, phrase, is_weak))
    return first


def tokenize_for_rules(text: str) -> list[str]:
    """Lower-case words and full stops; hyphens part words, so self-attention is self attention."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return TOKEN_PATTERN.findall(text.lower())
