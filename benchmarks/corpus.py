"""Papers for the benchmarks, as many as asked for, whose words are as common as in real ones.

Where the recorded papers are, new ones are put together from their sentences; else from words that
are as common as the n-th of a language is.
"""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import benchmarks
from papers.text.latex import latex_to_text
from papers.topics import classifier, rules

SEED = 20260512
TODAY = date(2026, 5, 12)
# About as many as arXiv has on a day.
PAPERS_PER_DAY = 500
# Taken in long after their day, in no order.
BACKFILLED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class PaperPattern:
    """What new papers are made of."""

    title: str
    sentences: tuple[str, ...]
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    topics: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class GeneratedPaper:
    number: int
    title: str
    sentences: list[str]
    authors: list[str]
    categories: list[str]
    topics: frozenset[str]
    day: date


def load_patterns() -> list[PaperPattern]:
    try:
        path = benchmarks.data_path("arxiv_sample_6000.jsonl.gz")
    except benchmarks.MissingRequirementError:
        return list(invent_patterns(3_000))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [pattern_from_record(json.loads(line)) for line in lines]


def pattern_from_record(row: dict[str, str | list[str]]) -> PaperPattern:
    title, abstract = (
        latex_to_text(" ".join(str(row[name]).split())) for name in ("title", "summary")
    )
    categories = tuple(map(str, row["categories"]))
    return PaperPattern(
        title=title,
        sentences=tuple(re.split(r"(?<=[.!?]) ", abstract)),
        authors=tuple(map(str, row["authors"])),
        categories=categories,
        topics=frozenset(classifier.topic_slugs(title, abstract, categories)),
    )


def invent_patterns(count: int) -> Iterator[PaperPattern]:
    chance = random.Random(SEED)
    vocabulary = [pseudo_word(each) for each in range(40_000)]
    weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(vocabulary))))
    slugs = [rule.slug for rule in rules.load_rules()]
    categories = ["cs.LG", "cs.CL", "cs.CV", "stat.ML", "math.PR", "hep-ph"]

    def text(length: int) -> str:
        return " ".join(chance.choices(vocabulary, cum_weights=weights, k=length))

    for _ in range(count):
        yield PaperPattern(
            title=text(9),
            sentences=tuple(f"{text(20)}." for _ in range(8)),
            authors=tuple(f"{text(1)} {text(1)}".title() for _ in range(4)),
            categories=(chance.choice(categories),),
            topics=frozenset(chance.sample(slugs, k=2)),
        )


def pseudo_word(rank: int) -> str:
    """The n-th of all words of these syllables."""
    syllables = ["ba", "ke", "lo", "mi", "nu", "ra", "so", "ti", "vu", "ze"]
    return "".join(syllables[int(digit)] for digit in f"{rank + 10}")


def generate_papers(count: int, patterns: Sequence[PaperPattern]) -> Iterator[GeneratedPaper]:
    """Oldest first, as they would have been taken in; a part of them much later."""
    chance = random.Random(SEED)
    by_field: dict[str, list[PaperPattern]] = defaultdict(list)
    for each in patterns:
        by_field[each.categories[0]].append(each)
    days = count // PAPERS_PER_DAY + 1
    for at in range(count):
        pattern = chance.choice(patterns)
        related = chance.choices(by_field[pattern.categories[0]], k=3)
        late = chance.random() < BACKFILLED_SHARE
        age = chance.randrange(days) if late else (count - 1 - at) // PAPERS_PER_DAY
        yield GeneratedPaper(
            number=at,
            title=mix_titles(pattern, related[0]),
            sentences=list(mix_sentences(pattern, related, chance)),
            authors=[chance.choice(chance.choice(patterns).authors) for _ in pattern.authors[:12]],
            categories=list(pattern.categories),
            topics=pattern.topics,
            day=TODAY - timedelta(days=age),
        )


def mix_titles(first: PaperPattern, second: PaperPattern) -> str:
    """The beginning of one and the end of another."""
    begin, end = first.title.split(), second.title.split()
    return " ".join([*begin[: (len(begin) + 1) // 2], *end[len(end) // 2 :]])[:500]


def mix_sentences(
    pattern: PaperPattern, related: Sequence[PaperPattern], rng: random.Random
) -> Iterator[str]:
    """Most of its own, some of others in the field: so words stand together as they do in life."""
    for sentence in pattern.sentences:
        yield sentence if rng.random() < 0.6 else rng.choice(rng.choice(related).sentences)
