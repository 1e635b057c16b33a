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
from papers.topics import categories, classifier, rules

SEED = 20260512
SPLIT_COUNT = 200
# A phrase that fewer of the other papers have may be one paper's own.
MIN_PAPERS_WITH_PHRASE = 2
# A category with fewer papers tells too little.
MIN_PAPERS_PER_CATEGORY = 10


@dataclass(frozen=True, slots=True)
class AnnotatedPaper:
    title: str
    abstract: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class ConfusionCounts:
    """Right, wrong and missing topics."""

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0

    @property
    def precision(self) -> float:
        return self.true_positives / max(self.true_positives + self.false_positives, 1)

    @property
    def recall(self) -> float:
        return self.true_positives / max(self.true_positives + self.false_negatives, 1)

    @property
    def f1(self) -> float:
        return (
            2
            * self.true_positives
            / max(2 * self.true_positives + self.false_positives + self.false_negatives, 1)
        )

    def __add__(self, other: ConfusionCounts) -> ConfusionCounts:
        return ConfusionCounts(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
        )


def load_annotated_papers() -> list[AnnotatedPaper]:
    """Title and abstract line by line, after two banners; the first button is in the first title."""
    page = benchmarks.data_path("search_page.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in page if line.strip()][2:]
    lines[0] = lines[0].removeprefix("Subscribe")
    labels = json.loads(benchmarks.data_path("search_page_topic_labels.json").read_bytes())
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [AnnotatedPaper(title, text, frozenset(labels[title])) for title, text in pairs]


def confusion_by_topic(papers: Sequence[AnnotatedPaper]) -> dict[str, ConfusionCounts]:
    """By topic."""
    counted = {rule.slug: ConfusionCounts() for rule in rules.load_rules()}
    for paper in papers:
        found = set(classifier.topic_slugs(paper.title, paper.abstract))
        for slug in found | paper.labels:
            right, wrong = slug in found & paper.labels, slug not in paper.labels
            counted[slug] += ConfusionCounts(int(right), int(wrong), int(not right and not wrong))
    return counted


def random_half_f1_scores(papers: Sequence[AnnotatedPaper]) -> list[float]:
    """Micro F1 on random halves: how much it depends on which papers one has."""
    shuffler = random.Random(SEED)
    shuffled = list(papers)
    values = []
    for _ in range(SPLIT_COUNT):
        shuffler.shuffle(shuffled)
        half = shuffled[: len(papers) // 2]
        values.append(sum(confusion_by_topic(half).values(), ConfusionCounts()).f1)
    return sorted(values)


@dataclass(frozen=True, slots=True)
class CategorisedPaper:
    """A paper of which is known where its authors filed it."""

    title: str
    abstract: str
    category: str

    def topic_slugs(self) -> set[str]:
        return set(classifier.topic_slugs(self.title, self.abstract))


def rare_phrases(papers: Sequence[AnnotatedPaper], others: Sequence[CategorisedPaper]) -> list[str]:
    """Phrases in a labelled paper that hardly any of the others has."""
    used = phrase_document_frequencies(others)
    ours = phrase_document_frequencies(papers)
    return sorted(
        each for each, times in ours.items() if times == 1 and used[each] < MIN_PAPERS_WITH_PHRASE
    )


def phrase_document_frequencies(
    papers: Sequence[AnnotatedPaper] | Sequence[CategorisedPaper],
) -> Counter[str]:
    """In how many papers each phrase is."""
    used: Counter[str] = Counter()
    for paper in papers:
        text = rules.tokenize_for_rules(f"{paper.title} . {paper.abstract}")
        used.update(
            {each for _, each, _ in rules.find_phrases(text, rules.phrase_trie(for_title=True))}
        )
    return used


def load_categorised_papers() -> list[CategorisedPaper]:
    path = benchmarks.data_path("arxiv_sample_6000.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        CategorisedPaper(
            row["title"],
            row["summary"],
            next(iter(categories.canonical_ids(row["categories"])), ""),
        )
        for row in rows
    ]


def expected_topics_by_category() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By category the topics that are its own, and those with all that are filed there too."""
    own: defaultdict[str, set[str]] = defaultdict(set)
    wide: defaultdict[str, set[str]] = defaultdict(set)
    for row in json.loads(rules.TOPICS_FILE.read_text(encoding="utf-8"))["topics"]:
        for each in row["arxiv_primary"] + row["arxiv_general"]:
            own[each].add(row["slug"])
        for each in row["arxiv_primary"] + row["arxiv_general"] + row["arxiv_hint"]:
            wide[each].add(row["slug"])
    return own, wide


def print_category_recall(papers: Sequence[CategorisedPaper]) -> None:
    """How often the text alone gives a topic of the category that the authors chose."""
    own, wide = expected_topics_by_category()
    found = [(paper.category, paper.topic_slugs()) for paper in papers]
    table = Table(
        title="Topics of the authors' first category, by text alone", title_justify="left"
    )
    for name in ("category", "papers", "its own topic", "or one that is filed there"):
        table.add_column(name, justify="left" if name == "category" else "right")
    for category, number in Counter(category for category, _ in found).most_common():
        if number >= MIN_PAPERS_PER_CATEGORY and category in wide:
            here = [got for each, got in found if each == category]
            table.add_row(
                category,
                str(number),
                *(format_recall(here, some[category]) for some in (own, wide)),
            )
    Console(width=80).print(table)
    for name, some in (("its own", own), ("one that is filed there", wide)):
        judged = [not got.isdisjoint(some[each]) for each, got in found if some.get(each)]
        print(f"{sum(judged) / len(judged):.3f} of {len(judged)} papers have {name}.")
    without = sum(not got for _, got in found)
    mean = sum(len(got) for _, got in found) / len(found)
    print(f"{without / len(found):.2%} have no topic; they have {mean:.2f} on average.")


def format_recall(topic_sets: Sequence[set[str]], expected_topics: set[str]) -> str:
    return (
        f"{sum(not got.isdisjoint(expected_topics) for got in topic_sets) / len(topic_sets):.3f}"
        if expected_topics
        else "–"
    )


def print_topic_scores(counts_by_topic: dict[str, ConfusionCounts]) -> None:
    found = {slug: tally for slug, tally in counts_by_topic.items() if tally != ConfusionCounts()}
    total = sum(found.values(), ConfusionCounts())
    table = Table(title="Topics found by the rules", title_justify="left")
    for name in ("topic", "labelled", "precision", "recall", "F1"):
        table.add_column(name, justify="left" if name == "topic" else "right")
    for slug, tally in found.items():
        table.add_row(
            slug, str(tally.true_positives + tally.false_negatives), *format_scores(tally)
        )
    table.add_section()
    table.add_row("micro", str(total.true_positives + total.false_negatives), *format_scores(total))
    means = [
        sum(column) / len(found)
        for column in zip(*map(precision_recall_f1, found.values()), strict=True)
    ]
    table.add_row("macro", "", *(f"{mean:.3f}" for mean in means))
    Console(width=80).print(table)


def precision_recall_f1(counts: ConfusionCounts) -> tuple[float, float, float]:
    return counts.precision, counts.recall, counts.f1


def format_scores(counts: ConfusionCounts) -> list[str]:
    return [f"{value:.3f}" for value in precision_recall_f1(counts)]


def main() -> None:
    papers = load_annotated_papers()
    print_topic_scores(confusion_by_topic(papers))
    values = random_half_f1_scores(papers)
    low, high = values[int(0.025 * SPLIT_COUNT)], values[int(0.975 * SPLIT_COUNT)]
    print(f"Micro F1 on random halves of the papers: 95 % between {low:.3f} and {high:.3f}.")

    others = load_categorised_papers()
    print_category_recall(others)
    some = others[:1000]
    start = time.process_time()
    for paper in some:
        paper.topic_slugs()
    each = (time.process_time() - start) / len(some)
    print(f"{each * 1e6:.0f} microseconds a paper.")

    lone = rare_phrases(papers, others)
    print(
        f"{len(lone)} phrases are in one labelled paper and in under {MIN_PAPERS_WITH_PHRASE} of 6,000 others:"
    )
    Console(width=100).print(", ".join(lone), highlight=False)
