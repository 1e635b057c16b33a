"""How well the trend score foresees what readers value a week later, beside other formulas.

A list of one day: every formula orders its papers by an early reading, and is judged by the count
about a week later. Within one day a decay can show nothing, so a second test mixes the days: every
paper of the last week is ordered as of one moment, and judged by the upvotes it gained after it.

The sources list papers by their votes, so an order that is kept among equals would give the answer
away: papers are shuffled before they are ordered. A formula is given what was known at the moment
and nothing else (`Known`); what came later (`Case.later`) only the judge sees.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import benchmarks
from papers.models import TRENDING_WINDOW_DAYS
from papers.trends import score

SEED = 20260512
SHUFFLE_COUNT, BOOTSTRAP_RESAMPLES = 20, 2000
TABLE_WIDTH = 110
# A shorter list says little about an order.
MIN_PAPERS_PER_DAY = 12
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# A list is read within this long; "a week later" is between those.
EARLY_READING_WINDOW = timedelta(hours=36)
LATE_READING_RANGE = (4 * DAY, 14 * DAY)
# Across days: how old the newest reading may be, how long after it we look, and how many of the
# days must be there. (Ours is never older than three hours; archives were kept once a day.)
MAX_READING_AGE, GAIN_HORIZON_RANGE, MIN_DAYS = timedelta(hours=26), (2 * DAY, 60 * DAY), 3


@dataclass(frozen=True, slots=True)
class PaperSnapshot:
    """What is known of a paper at the moment of the ranking."""

    upvotes: int
    listed_at: datetime
    now: datetime

    @property
    def age_hours(self) -> float:
        return max((self.now - self.listed_at) / HOUR, 0.0)

    @property
    def age(self) -> timedelta:
        """Age as papers/trends/ranking.py takes it: in whole days."""
        return self.now.date() - self.listed_at.date()


@dataclass(frozen=True, slots=True)
class Case:
    snapshot: PaperSnapshot
    # The count that the ranking is to foresee.
    target: int


@dataclass(frozen=True, slots=True, order=True)
class UpvoteReading:
    observed_at: datetime
    upvotes: int


CasesByDay = Mapping[str, Sequence[Case]]
Formula = Callable[[PaperSnapshot], float]


def current_formula(paper: PaperSnapshot) -> float:
    return score.trending_score(paper.upvotes, age=paper.age)


def raw_upvotes(paper: PaperSnapshot) -> float:
    return paper.upvotes


def hacker_news(paper: PaperSnapshot) -> float:
    return float(max(paper.upvotes - 1, 0) ** 0.8 / (paper.age_hours + 2) ** 1.8)


def reddit_hot(paper: PaperSnapshot) -> float:
    return math.log10(max(paper.upvotes, 1)) + paper.listed_at.timestamp() / 45_000


def velocity(paper: PaperSnapshot) -> float:
    """Upvotes an hour since it was listed."""
    return paper.upvotes / max(paper.age_hours, 1.0)


def random_baseline(paper: PaperSnapshot) -> float:
    return 0.0  # all equal: the order of the shuffle


CURRENT_FORMULA_NAME = "trending.score"
FORMULAS: dict[str, Formula] = {
    CURRENT_FORMULA_NAME: current_formula,
    "upvotes": raw_upvotes,
    "Hacker News": hacker_news,
    "Reddit hot": reddit_hot,
    "velocity": velocity,
    "random": random_baseline,
}


# Judging


def relevance_gain(target: int) -> float:
    """What a paper in its place is worth: one with 63 upvotes six times one with a single one."""
    return math.log2(1 + max(target, 0))


def ndcg(targets: Sequence[int], *, k: int) -> float:
    """The order's discounted gain as a share of the best order's; 1 where nothing can be won."""
    best = dcg(sorted(targets, reverse=True)[:k])
    return dcg(targets[:k]) / best if best else 1.0


def dcg(targets: Sequence[int]) -> float:
    return sum(relevance_gain(each) / math.log2(place + 2) for place, each in enumerate(targets))


def precision_at_k(targets: Sequence[int], *, k: int) -> float:
    """The share of the first places with papers that are in the later top too, ties included."""
    least = sorted(targets, reverse=True)[k - 1]
    return sum(each >= least for each in targets[:k]) / k


METRICS: dict[str, Callable[[Sequence[int]], float]] = {
    "NDCG@5": lambda later: ndcg(later, k=5),
    "NDCG@10": lambda later: ndcg(later, k=10),
    "precision@5": lambda later: precision_at_k(later, k=5),
}


def evaluate(cases_by_day: CasesByDay, formula: Formula) -> np.ndarray:
    """Each measure (rows) on each day (columns), the mean over several shuffles of the list."""
    shuffler = random.Random(SEED)
    return np.array([evaluate_day(cases, formula, shuffler) for cases in cases_by_day.values()]).T


def evaluate_day(cases: Sequence[Case], formula: Formula, shuffler: random.Random) -> list[float]:
    scored = [(formula(case.snapshot), case.target) for case in cases]
    totals = [0.0] * len(METRICS)
    for _ in range(SHUFFLE_COUNT):
        shuffler.shuffle(scored)
        later = [each for _, each in sorted(scored, key=lambda pair: -pair[0])]
        totals = [
            total + measure(later) for total, measure in zip(totals, METRICS.values(), strict=True)
        ]
    return [total / SHUFFLE_COUNT for total in totals]


def bootstrap_interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean over days."""
    generator = np.random.default_rng(SEED)
    drawn = generator.choice(values, size=(BOOTSTRAP_RESAMPLES, len(values)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


# Data


def parse_utc_datetime(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def load_early_and_late() -> CasesByDay:
    """One morning reading of each paper on its day, and one of 28 May 2026."""
    late = {row["id"]: row for row in read_json_lines("trend/late.jsonl.gz")}
    days = defaultdict(list)
    for row in read_json_lines("trend/early.jsonl.gz"):
        if row["id"] not in late or not row["daily_at"]:
            continue
        now, after = (
            parse_utc_datetime(row["snapshot_at"]),
            parse_utc_datetime(late[row["id"]]["observed_at"]),
        )
        if after - now >= LATE_READING_RANGE[0]:
            known = PaperSnapshot(row["upvotes"], parse_utc_datetime(row["daily_at"]), now)
            days[row["file_date"]].append(Case(known, late[row["id"]]["upvotes"]))
    return days_with_enough_papers(days)


def read_json_lines(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(benchmarks.data_path(name), "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def days_with_enough_papers(cases_by_day: Mapping[str, list[Case]]) -> CasesByDay:
    return {
        day: cases
        for day, cases in sorted(cases_by_day.items())
        if len(cases) >= MIN_PAPERS_PER_DAY
    }


@dataclass(frozen=True, slots=True)
class Archive:
    """Readings by other people's archives: of which paper, when, and how many upvotes."""

    listed_at: Mapping[str, datetime]
    readings: Mapping[str, Sequence[UpvoteReading]]

    def snapshot(self, paper_id: str, now: datetime, *, max_age: timedelta) -> PaperSnapshot | None:
        """Its newest reading by then, if that is fresh: nothing that was read later."""
        seen = [
            each for each in self.readings[paper_id] if now - max_age <= each.observed_at <= now
        ]
        return PaperSnapshot(max(seen).upvotes, self.listed_at[paper_id], now) if seen else None

    def readings_after(
        self, paper_id: str, now: datetime, min_delay: timedelta, max_delay: timedelta
    ) -> list[UpvoteReading]:
        return [
            each
            for each in self.readings[paper_id]
            if min_delay <= each.observed_at - now <= max_delay
        ]


def load_archive() -> Archive:
    listed: dict[str, datetime] = {}
    readings = defaultdict(list)
    with benchmarks.data_path("huggingface/upvote_observations.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            paper = row["arxiv_id"]
            readings[paper].append(
                UpvoteReading(parse_utc_datetime(row["observed_at"]), int(row["upvotes"]))
            )
            on = row["submitted_on_daily_at"] or row["daily_date"]
            if on:
                at = datetime.fromisoformat(on).replace(tzinfo=UTC)
                listed[paper] = min(at, listed.get(paper, at))
    return Archive(listed, readings)


def cases_within_a_day(archive: Archive) -> CasesByDay:
    """Each day's papers as of the first moment when enough of them had been read."""
    papers = defaultdict(list)
    for paper, at in archive.listed_at.items():
        papers[at.date()].append(paper)
    days = {}
    for day, of_day in sorted(papers.items()):
        moments = {
            seen.observed_at.replace(minute=59, second=59)
            for paper in of_day
            for seen in archive.readings[paper]
            if timedelta() <= seen.observed_at - archive.listed_at[paper] <= EARLY_READING_WINDOW
        }
        for now in sorted(moments):
            cases = list(cases_a_week_later(archive, of_day, now))
            if len(cases) >= MIN_PAPERS_PER_DAY:
                days[day.isoformat()] = cases
                break
    return days


def cases_a_week_later(archive: Archive, paper_ids: Iterable[str], now: datetime) -> Iterator[Case]:
    for paper in paper_ids:
        known = (
            archive.snapshot(paper, now, max_age=EARLY_READING_WINDOW)
            if archive.listed_at[paper] <= now
            else None
        )
        later = archive.readings_after(paper, now, *LATE_READING_RANGE)
        if known and later:
            yield Case(
                known, min(later, key=lambda seen: abs(seen.observed_at - now - 7 * DAY)).upvotes
            )


def cases_across_days(archive: Archive) -> tuple[CasesByDay, CasesByDay]:
    """As of each moment, the papers of the last week: judged by votes to come, and by the count.

    Both are of the same later date for all papers, so none had longer to gather votes. One moment
    of a day: that with the most papers.
    """
    moments = {
        seen.observed_at.replace(minute=59, second=59)
        for all_seen in archive.readings.values()
        for seen in all_seen
    }
    gained: dict[str, list[Case]] = {}
    counts: dict[str, list[Case]] = {}
    for now in sorted(moments):
        cases = [*outcomes_of_week(archive, now)]
        days = {known.listed_at.date() for known, _ in cases}
        name = now.date().isoformat()
        if len(days) >= MIN_DAYS and len(cases) > len(gained.get(name, ())):
            gained[name] = [Case(known, later - known.upvotes) for known, later in cases]
            counts[name] = [Case(known, later) for known, later in cases]
    return days_with_enough_papers(gained), days_with_enough_papers(counts)


def outcomes_of_week(archive: Archive, now: datetime) -> list[tuple[PaperSnapshot, int]]:
    read: dict[Any, list[tuple[PaperSnapshot, int]]] = defaultdict(list)
    for paper, listed_at in archive.listed_at.items():
        if not timedelta() <= now.date() - listed_at.date() <= TRENDING_WINDOW_DAYS * DAY:
            continue
        if listed_at > now or not (known := archive.snapshot(paper, now, max_age=MAX_READING_AGE)):
            continue
        # The first reading on each later date, so that papers are compared on one of them.
        later = {
            seen.observed_at.date(): seen
            for seen in reversed(archive.readings_after(paper, now, *GAIN_HORIZON_RANGE))
        }
        for date, seen in later.items():
            read[date].append((known, seen.upvotes))
    return max(read.values(), key=len, default=[])


# Printing


def print_comparison_table(
    title: str, cases_by_day: CasesByDay, *, with_verdict: bool = True
) -> None:
    """The formulas side by side, and whether ours is as good as the best of the others."""
    results = {name: evaluate(cases_by_day, formula) for name, formula in FORMULAS.items()}
    papers = sum(map(len, cases_by_day.values()))
    table = Table(
        title=f"{title}: {papers} papers on {len(cases_by_day)} days", title_justify="left"
    )
    table.add_column("ordered by")
    for name in METRICS:
        table.add_column(f"{name} [95 %]", justify="right")
    for name, result in results.items():
        table.add_row(name, *map(format_interval, result))
    Console(width=TABLE_WIDTH).print(table)
    if with_verdict:
        print_verdict(results)


def print_verdict(results: Mapping[str, np.ndarray]) -> None:
    rivals = {name: result[0] for name, result in results.items() if name != CURRENT_FORMULA_NAME}
    best = max(rivals, key=lambda name: float(rivals[name].mean()))
    difference = results[CURRENT_FORMULA_NAME][0] - rivals[best]
    low, high = bootstrap_interval(difference)
    if difference.mean() >= -1e-9:
        verdict = "at least as good as"
    else:
        verdict = "as good (within the noise) as" if high >= 0 else "NOT as good as"
    print(
        f"{CURRENT_FORMULA_NAME} is {verdict} the best rival, {best}, on NDCG@5:"
        f" {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}] on the same days.\n",
        flush=True,
    )


def format_interval(values: np.ndarray) -> str:
    low, high = bootstrap_interval(values)
    return f"{values.mean():.3f} \\[{low:.3f}, {high:.3f}]"


def decay_formulas() -> Iterator[tuple[str, Formula]]:
    """Ways in which attention may fade: our own with other constants, and half-lives."""
    for hours in (3, 6, 12, 24, 48):
        yield f"upvotes / (age + {hours} h)", hyperbolic_decay(offset_hours=hours)
    for hours in (12, 24, 36, 48, 72, 120, 168):
        yield (
            f"log(1 + upvotes), half-life {hours} h",
            exponential_decay(math.log1p, half_life_hours=hours),
        )
    for hours in (12, 24, 36, 48, 72):
        yield f"upvotes, half-life {hours} h", exponential_decay(float, half_life_hours=hours)


def hyperbolic_decay(*, offset_hours: int) -> Formula:
    return lambda paper: paper.upvotes / (paper.age + offset_hours * HOUR).total_seconds()


def exponential_decay(transform: Callable[[int], float], *, half_life_hours: int) -> Formula:
    return lambda paper: transform(paper.upvotes) * 0.5 ** (paper.age / (half_life_hours * HOUR))


def print_decays(gains_by_day: CasesByDay, counts_by_day: CasesByDay) -> None:
    """Why our constant: NDCG@5 across days, and how much that differs from ours."""
    table = Table(title="All papers of a week, NDCG@5 by decay", title_justify="left")
    for name in ("", "votes to come", "against ours", "count then"):
        table.add_column(name, justify="right" if name else "left")
    base = evaluate(gains_by_day, current_formula)[0]
    for name, formula in decay_formulas():
        come = evaluate(gains_by_day, formula)[0]
        low, high = bootstrap_interval(come - base)
        table.add_row(
            name,
            format_interval(come),
            f"{(come - base).mean():+.3f} \\[{low:+.3f}, {high:+.3f}]",
            format_interval(evaluate(counts_by_day, formula)[0]),
        )
    Console(width=TABLE_WIDTH).print(table)
    print()


def format_age_counts(cases_by_day: CasesByDay) -> str:
    found = Counter(case.snapshot.age.days for cases in cases_by_day.values() for case in cases)
    return ", ".join(f"{age} d: {found[age]}" for age in sorted(found))


def main() -> None:
    print_comparison_table("Morning of the day, and weeks later", load_early_and_late())
    kept = load_archive()
    print_comparison_table(
        "First reading of the day, and about a week later", cases_within_a_day(kept)
    )
    gained, counts = cases_across_days(kept)
    print_comparison_table("All papers of a week, and the votes they gained after it", gained)
    # Which no decay can win: who has most has had most before.
    print_comparison_table("All papers of a week, and their count then", counts, with_verdict=False)
    print(f"Ages in it: {format_age_counts(gained)}.\n")
    print_decays(gained, counts)
