"""Classify papers into topics by rules (pure: no Django, no clock).

Each phrase or category of a topic that occurs in a paper is evidence with a weight. `STRATEGIES`
turn evidence into topics, and the first that returns any decides. docs/developers/topics.md explains the
rules; the command `explain_topics` shows the evidence in a paper.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from papers.topics.categories import canonical_ids
from papers.topics.rules import (
    PhraseMatch,
    find_phrases,
    phrase_trie,
    slugs_by_category,
    tokenize_for_rules,
)

# The weight of a phrase in the title, in the abstract, and for occurring there more than once.
TITLE_WEIGHT, ABSTRACT_WEIGHT, REPEAT_WEIGHT = 3.0, 1.0, 0.75
WEAK_FACTOR = 0.5
# A topic's own category is as strong as a phrase in the title. A general category also holds papers
# on other topics, so it is only as strong as a phrase in the abstract.
CATEGORY_WEIGHT, GENERAL_CATEGORY_WEIGHT = 3.0, 1.0
# Two phrases in the abstract, or one that is repeated there.
MIN_WEIGHT = 1.75
# Common words ("training") count only if a topic has several different ones, and nothing stronger.
MIN_DISTINCT_PHRASES = 2
# A further topic needs this share of the heaviest topic's weight, but never more than the cap.
SECONDARY_SHARE, SECONDARY_CAP = 0.5, 4.0
MAX_TOPICS = 3


# Benchmarks have names such as AgentBench.
BENCH_SUFFIX = re.compile(r"(?<=\w)bench\b", re.IGNORECASE)

# The places of evidence.
TITLE, ABSTRACT, KEYWORDS, CATEGORY, GENERAL_CATEGORY = (
    "title",
    "abstract",
    "keywords",
    "category",
    "general category",
)


class TopicEvidence(NamedTuple):
    """A phrase or category in a paper that counts towards a topic."""

    slug: str
    text: str
    place: str
    occurrences: int
    weak: bool
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """A paper's topics, with the evidence for them."""

    evidence: list[TopicEvidence]
    # By topic slug, the heaviest first.
    weights: dict[str, float]
    threshold: float
    chosen: list[str]

    def reason_rejected(self, slug: str) -> str:
        """Return why the paper does not have a topic; empty if it has."""
        if slug in self.chosen:
            return ""
        if slug not in self.plausible_slugs():
            return "only common words"
        if slug in certain_slugs(self.evidence) or self.weights[slug] >= self.threshold:
            return f"{MAX_TOPICS} others weigh more"
        return f"less than {self.threshold:.2f}"

    def plausible_slugs(self) -> set[str]:
        """Return the topics that would be chosen if they weighed enough."""
        slugs = slugs_with_strong_evidence(self.evidence)
        if not topics_by_strong_evidence(self.evidence, self.weights, self.threshold):
            slugs |= slugs_with_several_phrases(self.evidence)
        return slugs


def topic_slugs(
    title: str, abstract: str, categories: Iterable[str] = (), keywords: Iterable[str] = ()
) -> list[str]:
    """Return the slugs of a paper's topics, the heaviest first."""
    return classify(title, abstract, categories, keywords).chosen


def classify(
    title: str, abstract: str, categories: Iterable[str] = (), keywords: Iterable[str] = ()
) -> Classification:
    """Find a paper's topics, and keep the evidence for an explanation."""
    evidence = find_evidence(title, abstract, categories, keywords)
    weights = weights_by_slug(evidence)
    threshold = secondary_topic_threshold(weights)
    chosen: list[str] = []
    for strategy in STRATEGIES:
        if chosen := strategy(evidence, weights, threshold):
            break
    return Classification(
        evidence=evidence, weights=weights, threshold=threshold, chosen=chosen[:MAX_TOPICS]
    )


def topics_by_strong_evidence(
    evidence: Sequence[TopicEvidence], weights: Mapping[str, float], threshold: float
) -> list[str]:
    """Return the topics that are certain, and those with strong evidence and enough weight."""
    certain, strong = certain_slugs(evidence), slugs_with_strong_evidence(evidence)
    return [
        slug
        for slug, weight in weights.items()
        if slug in certain or (slug in strong and weight >= threshold)
    ]


def topics_by_several_common_phrases(
    evidence: Sequence[TopicEvidence], weights: Mapping[str, float], threshold: float
) -> list[str]:
    """Return the topics with several different phrases, however common, and enough weight."""
    slugs = slugs_with_several_phrases(evidence)
    return [slug for slug, weight in weights.items() if slug in slugs and weight >= threshold]


def topics_by_general_category(
    evidence: Sequence[TopicEvidence], weights: Mapping[str, float], threshold: float
) -> list[str]:
    """Return the topics of the paper's general categories."""
    return [piece.slug for piece in evidence if piece.place == GENERAL_CATEGORY]


Strategy = Callable[[Sequence[TopicEvidence], Mapping[str, float], float], list[str]]
# The order is part of the rules: each strategy is only for papers without stronger evidence.
STRATEGIES: tuple[Strategy, ...] = (
    topics_by_strong_evidence,
    topics_by_several_common_phrases,
    topics_by_general_category,
)


def certain_slugs(evidence: Iterable[TopicEvidence]) -> set[str]:
    """Return the topics that the title or the topic's own category is enough for."""
    return {piece.slug for piece in evidence if not piece.weak and piece.place in (TITLE, CATEGORY)}


def slugs_with_strong_evidence(evidence: Iterable[TopicEvidence]) -> set[str]:
    return {piece.slug for piece in evidence if not piece.weak}


def slugs_with_several_phrases(evidence: Iterable[TopicEvidence]) -> set[str]:
    phrases = {(piece.slug, piece.text) for piece in evidence if piece.place != GENERAL_CATEGORY}
    phrase_counts = Counter(slug for slug, _ in phrases)
    return {slug for slug, count in phrase_counts.items() if count >= MIN_DISTINCT_PHRASES}


def weights_by_slug(evidence: Iterable[TopicEvidence]) -> dict[str, float]:
    """Sum the weights by topic, the heaviest topic first."""
    weights: defaultdict[str, float] = defaultdict(float)
    for piece in evidence:
        weights[piece.slug] += piece.weight
    return dict(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


def secondary_topic_threshold(weights: Mapping[str, float]) -> float:
    """Return the weight that a topic needs beside the heaviest one."""
    heaviest = max(weights.values(), default=0.0)
    return max(MIN_WEIGHT, min(SECONDARY_SHARE * heaviest, SECONDARY_CAP))


def find_evidence(
    title: str, abstract: str, categories: Iterable[str], keywords: Iterable[str]
) -> list[TopicEvidence]:
    title_trie, text_trie = phrase_trie(for_title=True), phrase_trie(for_title=False)
    title_tokens = tokenize_for_rules(BENCH_SUFFIX.sub(" bench", title))
    # Full stops between keywords keep phrases from matching across two of them.
    keyword_tokens = tokenize_for_rules(" . ".join(keywords))
    return [
        *title_evidence(find_phrases(title_tokens, title_trie)),
        *text_evidence(
            find_phrases(tokenize_for_rules(abstract), text_trie),
            find_phrases(keyword_tokens, text_trie),
        ),
        *category_evidence(canonical_ids(categories)),
    ]


def title_evidence(matches: Counter[PhraseMatch]) -> Iterator[TopicEvidence]:
    for (slug, phrase, weak), times in matches.items():
        yield TopicEvidence(
            slug, phrase, TITLE, times, weak, TITLE_WEIGHT * (WEAK_FACTOR if weak else 1)
        )


def text_evidence(
    abstract: Counter[PhraseMatch], keywords: Counter[PhraseMatch]
) -> Iterator[TopicEvidence]:
    """Yield the evidence in abstract and keywords, which count as the abstract's end."""
    for match, times in (abstract + keywords if keywords else abstract).items():
        slug, phrase, weak = match
        place = ABSTRACT if match not in keywords else KEYWORDS
        if place == KEYWORDS and match in abstract:
            place = f"{ABSTRACT} and {KEYWORDS}"
        weight = (ABSTRACT_WEIGHT + REPEAT_WEIGHT * (times > 1)) * (WEAK_FACTOR if weak else 1)
        yield TopicEvidence(slug, phrase, place, times, weak, weight)


def category_evidence(category_ids: Sequence[str]) -> Iterator[TopicEvidence]:
    for place, weight in ((CATEGORY, CATEGORY_WEIGHT), (GENERAL_CATEGORY, GENERAL_CATEGORY_WEIGHT)):
        is_general = place == GENERAL_CATEGORY
        for slug, category_id in topics_for_categories(category_ids, general=is_general).items():
            yield TopicEvidence(slug, category_id, place, 1, is_general, weight)


def topics_for_categories(category_ids: Sequence[str], *, general: bool) -> dict[str, str]:
    """Return the topics of the categories by slug, each with its first category."""
    slugs = slugs_by_category(general=general)
    return {
        slug: category_id
        for category_id in reversed(category_ids)
        for slug in slugs.get(category_id, ())
    }
