"""Generate papers for the benchmarks, with realistic word frequencies.

New papers are mixed from the sentences of recorded ones. Where the recordings are missing, they
consist of invented words whose frequencies follow Zipf's law.
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
# About the daily volume of arXiv.
PAPERS_PER_DAY = 500
# The share of papers that are added long after their day, in random order.
BACKFILLED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class PaperPattern:
    """A recorded or invented paper whose parts are mixed into new ones."""

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
    """Return the recorded papers or, where they are missing, invented ones."""
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
    """Yield papers of invented words; the same ones each time."""
    rng = random.Random(SEED)
    vocabulary = [pseudo_word(rank) for rank in range(40_000)]
    weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(vocabulary))))
    slugs = [rule.slug for rule in rules.load_rules()]
    categories = ["cs.LG", "cs.CL", "cs.CV", "stat.ML", "math.PR", "hep-ph"]

    def text(length: int) -> str:
        return " ".join(rng.choices(vocabulary, cum_weights=weights, k=length))

    for _ in range(count):
        yield PaperPattern(
            title=text(9),
            sentences=tuple(f"{text(20)}." for _ in range(8)),
            authors=tuple(f"{text(1)} {text(1)}".title() for _ in range(4)),
            categories=(rng.choice(categories),),
            topics=frozenset(rng.sample(slugs, k=2)),
        )


def pseudo_word(rank: int) -> str:
    """Return the invented word of this rank."""
    syllables = ["ba", "ke", "lo", "mi", "nu", "ra", "so", "ti", "vu", "ze"]
    return "".join(syllables[int(digit)] for digit in f"{rank + 10}")


def generate_papers(count: int, patterns: Sequence[PaperPattern]) -> Iterator[GeneratedPaper]:
    """Yield papers in the order of adding: oldest first, with a few that are added late.

    The same ones each time.
    """
    rng = random.Random(SEED)
    patterns_by_category: dict[str, list[PaperPattern]] = defaultdict(list)
    for pattern in patterns:
        patterns_by_category[pattern.categories[0]].append(pattern)
    days = count // PAPERS_PER_DAY + 1
    for number in range(count):
        pattern = rng.choice(patterns)
        related = rng.choices(patterns_by_category[pattern.categories[0]], k=3)
        is_late = rng.random() < BACKFILLED_SHARE
        age = rng.randrange(days) if is_late else (count - 1 - number) // PAPERS_PER_DAY
        yield GeneratedPaper(
            number=number,
            title=mix_titles(pattern, related[0]),
            sentences=list(mix_sentences(pattern, related, rng)),
            authors=[rng.choice(rng.choice(patterns).authors) for _ in pattern.authors[:12]],
            categories=list(pattern.categories),
            topics=pattern.topics,
            day=TODAY - timedelta(days=age),
        )


def mix_titles(first: PaperPattern, second: PaperPattern) -> str:
    """Return the first half of one title and the second half of another."""
    first_words, second_words = first.title.split(), second.title.split()
    start = first_words[: (len(first_words) + 1) // 2]
    return " ".join([*start, *second_words[len(second_words) // 2 :]])[:500]


def mix_sentences(
    pattern: PaperPattern, related: Sequence[PaperPattern], rng: random.Random
) -> Iterator[str]:
    """Yield mostly its own sentences, some of papers in its field: words co-occur realistically."""
    for sentence in pattern.sentences:
        yield sentence if rng.random() < 0.6 else rng.choice(rng.choice(related).sentences)
