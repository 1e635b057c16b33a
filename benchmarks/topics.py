"""How well the rules find the topics that a person gave, and how long they take.

The papers were labelled before any rule was written. Whether the rules were fitted to them shows
where they are used on others: so the categories that authors chose for 6,000 papers are compared
with the topics found in their text, and phrases that hardly any other paper has are counted.
"""

from __future__ import annotations

import gzip
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

import benchmarks
from papers.topics import categories, classifier

SEED = 20260512
SPLITS = 200
# A phrase that fewer of the other papers have may be one paper's own.
RARE = 2
# A category with fewer papers tells too little.
FEWEST = 10


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
    counted = {rule.slug: Tally() for rule in classifier.load()}
    for paper in papers:
        found = set(classifier.match(paper.title, paper.abstract))
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


@dataclass(frozen=True, slots=True)
class Filed:
    """A paper of which is known where its authors filed it."""

    title: str
    abstract: str
    category: str

    def topics(self) -> set[str]:
        return set(classifier.match(self.title, self.abstract))


def rare(papers: Sequence[Labelled], others: Sequence[Filed]) -> list[str]:
    """Phrases in a labelled paper that hardly any of the others has."""
    used = phrases(others)
    ours = phrases(papers)
    return sorted(each for each, times in ours.items() if times == 1 and used[each] < RARE)


def phrases(papers: Sequence[Labelled] | Sequence[Filed]) -> Counter[str]:
    """In how many papers each phrase is."""
    used: Counter[str] = Counter()
    for paper in papers:
        text = classifier.words(f"{paper.title} . {paper.abstract}")
        used.update({each for _, each, _ in classifier.find(text, classifier.trie(of_title=True))})
    return used


def filed() -> list[Filed]:
    path = benchmarks.data("arxiv_sample_6000.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Filed(
            row["title"], row["summary"], next(iter(categories.canonicals(row["categories"])), "")
        )
        for row in rows
    ]


def expected() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By category the topics that are its own, and those with all that are filed there too."""
    own: defaultdict[str, set[str]] = defaultdict(set)
    wide: defaultdict[str, set[str]] = defaultdict(set)
    for row in json.loads(classifier.FILE.read_text(encoding="utf-8"))["topics"]:
        for each in row["arxiv_primary"] + row["arxiv_general"]:
            own[each].add(row["slug"])
        for each in row["arxiv_primary"] + row["arxiv_general"] + row["arxiv_hint"]:
            wide[each].add(row["slug"])
    return own, wide


def show_categories(papers: Sequence[Filed]) -> None:
    """How often the text alone gives a topic of the category that the authors chose."""
    own, wide = expected()
    found = [(paper.category, paper.topics()) for paper in papers]
    table = Table(
        title="Topics of the authors' first category, by text alone", title_justify="left"
    )
    for name in ("category", "papers", "its own topic", "or one that is filed there"):
        table.add_column(name, justify="left" if name == "category" else "right")
    for category, number in Counter(category for category, _ in found).most_common():
        if number >= FEWEST and category in wide:
            here = [got for each, got in found if each == category]
            table.add_row(
                category, str(number), *(recall(here, some[category]) for some in (own, wide))
            )
    Console(width=80).print(table)
    for name, some in (("its own", own), ("one that is filed there", wide)):
        judged = [not got.isdisjoint(some[each]) for each, got in found if some.get(each)]
        print(f"{sum(judged) / len(judged):.3f} of {len(judged)} papers have {name}.")
    without = sum(not got for _, got in found)
    mean = sum(len(got) for _, got in found) / len(found)
    print(f"{without / len(found):.2%} have no topic; they have {mean:.2f} on average.")


def recall(found: Sequence[set[str]], wanted: set[str]) -> str:
    return f"{sum(not got.isdisjoint(wanted) for got in found) / len(found):.3f}" if wanted else "–"


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

    others = filed()
    show_categories(others)
    some = others[:1000]
    start = time.process_time()
    for paper in some:
        paper.topics()
    each = (time.process_time() - start) / len(some)
    print(f"{each * 1e6:.0f} microseconds a paper.")

    lone = rare(papers, others)
    print(f"{len(lone)} phrases are in one labelled paper and in under {RARE} of 6,000 others:")
    Console(width=100).print(", ".join(lone), highlight=False)
