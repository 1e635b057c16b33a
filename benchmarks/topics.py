"""How well the rules find the topics that a person gave, and how long they take.

The papers were labelled before any rule was written. Whether the rules were fitted to them shows
where they are used on others: so phrases that hardly any other paper has are counted too.
"""

from __future__ import annotations

import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

import benchmarks
from papers import topics

SEED = 20260512
SPLITS = 200
# A phrase that fewer of the other papers have may be one paper's own.
RARE = 2


@dataclass(frozen=True, slots=True)
class Labelled:
    title: str
    abstract: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tally:
    """Right, wrong and missing topics."""

    right: int = 0
    wrong: int = 0
    missing: int = 0

    @property
    def precision(self) -> float:
        return self.right / max(self.right + self.wrong, 1)

    @property
    def recall(self) -> float:
        return self.right / max(self.right + self.missing, 1)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(2 * self.right + self.wrong + self.missing, 1)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.right + other.right, self.wrong + other.wrong, self.missing + other.missing
        )


def labelled() -> list[Labelled]:
    """Title and abstract line by line, after two banners; the first button is in the first title."""
    page = benchmarks.data("search_page.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in page if line.strip()][2:]
    lines[0] = lines[0].removeprefix("Subscribe")
    labels = json.loads(benchmarks.data("search_page_topic_labels.json").read_bytes())
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [Labelled(title, text, frozenset(labels[title])) for title, text in pairs]


def tallies(papers: Sequence[Labelled]) -> dict[str, Tally]:
    """By topic."""
    counted = {rule.slug: Tally() for rule in topics.load()}
    for paper in papers:
        found = set(topics.match(paper.title, paper.abstract))
        for slug in found | paper.labels:
            right, wrong = slug in found & paper.labels, slug not in paper.labels
            counted[slug] += Tally(int(right), int(wrong), int(not right and not wrong))
    return counted


def halves(papers: Sequence[Labelled]) -> list[float]:
    """Micro F1 on random halves: how much it depends on which papers one has."""
    shuffler = random.Random(SEED)
    shuffled = list(papers)
    values = []
    for _ in range(SPLITS):
        shuffler.shuffle(shuffled)
        half = shuffled[: len(papers) // 2]
        values.append(sum(tallies(half).values(), Tally()).f1)
    return sorted(values)


def rare(papers: Sequence[Labelled]) -> list[str]:
    """Phrases in a labelled paper that hardly any of 6,000 others has."""
    used: Counter[tuple[str, str, bool]] = Counter()
    for title, abstract in others():
        used.update(topics.find(topics.words(f"{title} . {abstract}")).keys())
    ours: Counter[tuple[str, str, bool]] = Counter()
    for paper in papers:
        ours.update(topics.find(topics.words(f"{paper.title} . {paper.abstract}")).keys())
    return sorted(each[1] for each in ours if used[each] < RARE and ours[each] == 1)


def others() -> list[tuple[str, str]]:
    path = benchmarks.data("arxiv_sample_6000.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [(row["title"], row["summary"]) for row in map(json.loads, lines)]


def show(counted: dict[str, Tally]) -> None:
    found = {slug: tally for slug, tally in counted.items() if tally != Tally()}
    total = sum(found.values(), Tally())
    table = Table(title="Topics found by the rules", title_justify="left")
    for name in ("topic", "labelled", "precision", "recall", "F1"):
        table.add_column(name, justify="left" if name == "topic" else "right")
    for slug, tally in found.items():
        table.add_row(slug, str(tally.right + tally.missing), *figures(tally))
    table.add_section()
    table.add_row("micro", str(total.right + total.missing), *figures(total))
    means = [
        sum(column) / len(found) for column in zip(*map(measures, found.values()), strict=True)
    ]
    table.add_row("macro", "", *(f"{mean:.3f}" for mean in means))
    Console(width=80).print(table)


def measures(tally: Tally) -> tuple[float, float, float]:
    return tally.precision, tally.recall, tally.f1


def figures(tally: Tally) -> list[str]:
    return [f"{value:.3f}" for value in measures(tally)]


def main() -> None:
    papers = labelled()
    show(tallies(papers))
    values = halves(papers)
    low, high = values[int(0.025 * SPLITS)], values[int(0.975 * SPLITS)]
    print(f"Micro F1 on random halves of the papers: 95 % between {low:.3f} and {high:.3f}.")

    some = others()[:2000]
    start = time.perf_counter()
    for title, abstract in some:
        topics.match(title, abstract)
    each = (time.perf_counter() - start) / len(some)
    print(f"{each * 1e6:.0f} microseconds a paper.")

    phrases = rare(papers)
    print(f"{len(phrases)} phrases are in one labelled paper and in under {RARE} of 6,000 others:")
    Console(width=100).print(", ".join(phrases), highlight=False)
