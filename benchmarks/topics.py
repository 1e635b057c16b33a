"""Measure the topic rules: agreement with manual labels, and time per paper.

The papers were labelled before any rule was written. Two checks show whether the rules were then
fitted to those papers: the topics that are found in the text of 6,000 other papers are compared
with their authors' categories, and phrases that occur in hardly any other paper are counted.
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
# A phrase in fewer of the other papers may have been added for a single labelled paper.
MIN_PAPERS_WITH_PHRASE = 2
# A category with fewer papers is left out of the table.
MIN_PAPERS_PER_CATEGORY = 10


@dataclass(frozen=True, slots=True)
class AnnotatedPaper:
    title: str
    abstract: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class ConfusionCounts:
    """The numbers of correct, wrong and missing topics."""

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
    """Return the labelled papers of a saved search page.

    After two banner lines, titles and abstracts alternate. The first title has a button's text in
    front of it.
    """
    page = benchmarks.data_path("search_page.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in page if line.strip()][2:]
    lines[0] = lines[0].removeprefix("Subscribe")
    labels = json.loads(benchmarks.data_path("search_page_topic_labels.json").read_bytes())
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [AnnotatedPaper(title, text, frozenset(labels[title])) for title, text in pairs]


def confusion_by_topic(papers: Sequence[AnnotatedPaper]) -> dict[str, ConfusionCounts]:
    counts = {rule.slug: ConfusionCounts() for rule in rules.load_rules()}
    for paper in papers:
        predicted = set(classifier.topic_slugs(paper.title, paper.abstract))
        for slug in predicted | paper.labels:
            counts[slug] += ConfusionCounts(
                true_positives=int(slug in predicted & paper.labels),
                false_positives=int(slug not in paper.labels),
                false_negatives=int(slug not in predicted),
            )
    return counts


def random_half_f1_scores(papers: Sequence[AnnotatedPaper]) -> list[float]:
    """Return the sorted micro F1 on random halves: how much it depends on the choice of papers."""
    shuffler = random.Random(SEED)
    shuffled = list(papers)
    f1_scores = []
    for _ in range(SPLIT_COUNT):
        shuffler.shuffle(shuffled)
        half = shuffled[: len(papers) // 2]
        f1_scores.append(sum(confusion_by_topic(half).values(), ConfusionCounts()).f1)
    return sorted(f1_scores)


@dataclass(frozen=True, slots=True)
class CategorisedPaper:
    """A paper with the first category that its authors chose."""

    title: str
    abstract: str
    category: str

    def topic_slugs(self) -> set[str]:
        return set(classifier.topic_slugs(self.title, self.abstract))


def rare_phrases(papers: Sequence[AnnotatedPaper], others: Sequence[CategorisedPaper]) -> list[str]:
    """Return the phrases in exactly one labelled paper and in hardly any of the others."""
    in_others = phrase_document_frequencies(others)
    in_labelled = phrase_document_frequencies(papers)
    return sorted(
        phrase
        for phrase, count in in_labelled.items()
        if count == 1 and in_others[phrase] < MIN_PAPERS_WITH_PHRASE
    )


def phrase_document_frequencies(
    papers: Sequence[AnnotatedPaper] | Sequence[CategorisedPaper],
) -> Counter[str]:
    """Return the number of papers with each phrase."""
    frequencies: Counter[str] = Counter()
    for paper in papers:
        tokens = rules.tokenize_for_rules(f"{paper.title} . {paper.abstract}")
        matches = rules.find_phrases(tokens, rules.phrase_trie(for_title=True))
        frequencies.update({phrase for _, phrase, _ in matches})
    return frequencies


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
    """Return each category's own topics, and those plus the topics that are often filed there."""
    own: defaultdict[str, set[str]] = defaultdict(set)
    related: defaultdict[str, set[str]] = defaultdict(set)
    for row in json.loads(rules.TOPICS_FILE.read_text(encoding="utf-8"))["topics"]:
        own_categories = row["arxiv_primary"] + row["arxiv_general"]
        for category in own_categories:
            own[category].add(row["slug"])
        for category in own_categories + row["arxiv_hint"]:
            related[category].add(row["slug"])
    return own, related


def print_category_recall(papers: Sequence[CategorisedPaper]) -> None:
    """Print how often the text alone gives a topic of the category that the authors chose."""
    own, related = expected_topics_by_category()
    predictions = [(paper.category, paper.topic_slugs()) for paper in papers]
    table = Table(
        title="Topics of the authors' first category, by text alone", title_justify="left"
    )
    for name in ("category", "papers", "its own topic", "or a related topic"):
        table.add_column(name, justify="left" if name == "category" else "right")
    for category, count in Counter(category for category, _ in predictions).most_common():
        if count >= MIN_PAPERS_PER_CATEGORY and category in related:
            topic_sets = [slugs for other, slugs in predictions if other == category]
            table.add_row(
                category,
                str(count),
                format_recall(topic_sets, own[category]),
                format_recall(topic_sets, related[category]),
            )
    Console(width=80).print(table)
    for description, expected in (("its own topic", own), ("its own or a related topic", related)):
        hits = [
            not slugs.isdisjoint(expected[category])
            for category, slugs in predictions
            if expected.get(category)
        ]
        print(f"{sum(hits) / len(hits):.3f} of {len(hits)} papers have {description}.")
    without_topic = sum(not slugs for _, slugs in predictions)
    mean = sum(len(slugs) for _, slugs in predictions) / len(predictions)
    print(f"{without_topic / len(predictions):.2%} have no topic; the mean is {mean:.2f} topics.")


def format_recall(topic_sets: Sequence[set[str]], expected_topics: set[str]) -> str:
    if not expected_topics:
        return "–"
    hits = sum(not slugs.isdisjoint(expected_topics) for slugs in topic_sets)
    return f"{hits / len(topic_sets):.3f}"


def print_topic_scores(counts_by_topic: dict[str, ConfusionCounts]) -> None:
    used = {slug: counts for slug, counts in counts_by_topic.items() if counts != ConfusionCounts()}
    total = sum(used.values(), ConfusionCounts())
    table = Table(title="Topics found by the rules", title_justify="left")
    for name in ("topic", "labelled", "precision", "recall", "F1"):
        table.add_column(name, justify="left" if name == "topic" else "right")
    for slug, counts in used.items():
        labelled = counts.true_positives + counts.false_negatives
        table.add_row(slug, str(labelled), *format_scores(counts))
    table.add_section()
    table.add_row("micro", str(total.true_positives + total.false_negatives), *format_scores(total))
    means = [
        sum(column) / len(used)
        for column in zip(*map(precision_recall_f1, used.values()), strict=True)
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
    f1_scores = random_half_f1_scores(papers)
    low, high = f1_scores[int(0.025 * SPLIT_COUNT)], f1_scores[int(0.975 * SPLIT_COUNT)]
    print(f"Micro F1 on random halves of the papers: 95 % between {low:.3f} and {high:.3f}.")

    others = load_categorised_papers()
    print_category_recall(others)
    timed_papers = others[:1000]
    start = time.process_time()
    for paper in timed_papers:
        paper.topic_slugs()
    seconds = (time.process_time() - start) / len(timed_papers)
    print(f"{seconds * 1e6:.0f} microseconds per paper.")

    phrases = rare_phrases(papers, others)
    print(
        f"{len(phrases)} phrases are in one labelled paper, and in fewer than"
        f" {MIN_PAPERS_WITH_PHRASE} of 6,000 others:"
    )
    Console(width=100).print(", ".join(phrases), highlight=False)
