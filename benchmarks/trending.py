"""Compare how well the trending score and other formulas predict later upvotes.

First test: the papers of one day. Every formula ranks them by an early reading, and is judged by
the upvotes about a week later. Within one day, a decay cannot show an effect, so the second test
mixes the days: all papers of the last week are ranked as of one moment, and judged by the upvotes
they gain after it.

Two rules keep the comparison honest. Sources list papers by their votes, so a stable sort would
give the answer away: papers are shuffled before each ranking. And a formula receives only a
`PaperSnapshot` of that moment, never the later `Case.target`.
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
from datetime import UTC, date, datetime, timedelta
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
# With fewer papers, a day is not meaningful.
MIN_PAPERS_PER_DAY = 12
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# The early reading is at most this old; "a week later" is within this range.
EARLY_READING_WINDOW = timedelta(hours=36)
LATE_READING_RANGE = (4 * DAY, 14 * DAY)
# Across days: the age of the newest reading, the time until the later one, and the number of days.
# (In production a reading is at most three hours old; the archives have one a day.)
MAX_READING_AGE, GAIN_HORIZON_RANGE, MIN_DAYS = timedelta(hours=26), (2 * DAY, 60 * DAY), 3


@dataclass(frozen=True, slots=True)
class PaperSnapshot:
    """The data about a paper at the moment of the ranking."""

    upvotes: int
    listed_at: datetime
    now: datetime

    @property
    def age_hours(self) -> float:
        return max((self.now - self.listed_at) / HOUR, 0.0)

    @property
    def age(self) -> timedelta:
        """Return the age in whole days, like papers/trends/ranking.py."""
        return self.now.date() - self.listed_at.date()


@dataclass(frozen=True, slots=True)
class Case:
    """One paper to rank, with the outcome to judge the ranking by."""

    snapshot: PaperSnapshot
    # The number of upvotes that the ranking should predict.
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
    """Return the upvotes per hour since the paper was listed."""
    return paper.upvotes / max(paper.age_hours, 1.0)


def random_baseline(paper: PaperSnapshot) -> float:
    return 0.0  # All are equal, so the order is that of the shuffle.


CURRENT_FORMULA_NAME = "trending.score"
FORMULAS: dict[str, Formula] = {
    CURRENT_FORMULA_NAME: current_formula,
    "upvotes": raw_upvotes,
    "Hacker News": hacker_news,
    "Reddit hot": reddit_hot,
    "velocity": velocity,
    "random": random_baseline,
}


# Metrics


def relevance_gain(target: int) -> float:
    """Return the gain of one paper: 63 upvotes are worth six times a single one."""
    return math.log2(1 + max(target, 0))


def ndcg(targets: Sequence[int], *, k: int) -> float:
    """Return the discounted gain as a share of the ideal ranking's; 1 if that has no gain."""
    best = dcg(sorted(targets, reverse=True)[:k])
    return dcg(targets[:k]) / best if best else 1.0


def dcg(targets: Sequence[int]) -> float:
    return sum(relevance_gain(target) / math.log2(rank + 2) for rank, target in enumerate(targets))


def precision_at_k(targets: Sequence[int], *, k: int) -> float:
    """Return the share of the first k papers that are in the later top k too, ties included."""
    threshold = sorted(targets, reverse=True)[k - 1]
    return sum(target >= threshold for target in targets[:k]) / k


METRICS: dict[str, Callable[[Sequence[int]], float]] = {
    "NDCG@5": lambda targets: ndcg(targets, k=5),
    "NDCG@10": lambda targets: ndcg(targets, k=10),
    "precision@5": lambda targets: precision_at_k(targets, k=5),
}


def evaluate(cases_by_day: CasesByDay, formula: Formula) -> np.ndarray:
    """Return each metric (rows) for each day (columns), the mean over several shuffles."""
    shuffler = random.Random(SEED)
    return np.array([evaluate_day(cases, formula, shuffler) for cases in cases_by_day.values()]).T


def evaluate_day(cases: Sequence[Case], formula: Formula, shuffler: random.Random) -> list[float]:
    scored = [(formula(case.snapshot), case.target) for case in cases]
    totals = [0.0] * len(METRICS)
    for _ in range(SHUFFLE_COUNT):
        shuffler.shuffle(scored)
        targets = [target for _, target in sorted(scored, key=lambda pair: -pair[0])]
        totals = [
            total + metric(targets) for total, metric in zip(totals, METRICS.values(), strict=True)
        ]
    return [total / SHUFFLE_COUNT for total in totals]


def bootstrap_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean over days."""
    generator = np.random.default_rng(SEED)
    resamples = generator.choice(values, size=(BOOTSTRAP_RESAMPLES, len(values)))
    low, high = np.percentile(resamples.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


# Data


def parse_utc_datetime(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def load_early_and_late() -> CasesByDay:
    """Return one morning reading of each paper on its day, with one of 28 May 2026 as target."""
    late = {row["id"]: row for row in read_json_lines("trend/late.jsonl.gz")}
    days = defaultdict(list)
    for row in read_json_lines("trend/early.jsonl.gz"):
        if row["id"] not in late or not row["daily_at"]:
            continue
        now = parse_utc_datetime(row["snapshot_at"])
        later_at = parse_utc_datetime(late[row["id"]]["observed_at"])
        if later_at - now >= LATE_READING_RANGE[0]:
            snapshot = PaperSnapshot(row["upvotes"], parse_utc_datetime(row["daily_at"]), now)
            days[row["file_date"]].append(Case(snapshot, late[row["id"]]["upvotes"]))
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
    """Upvote readings from public archives, by arXiv id."""

    listed_at: Mapping[str, datetime]
    readings: Mapping[str, Sequence[UpvoteReading]]

    def snapshot(self, paper_id: str, now: datetime, *, max_age: timedelta) -> PaperSnapshot | None:
        """Return the newest reading up to a moment; None if it is older than `max_age`."""
        readings = [
            reading
            for reading in self.readings[paper_id]
            if now - max_age <= reading.observed_at <= now
        ]
        if not readings:
            return None
        return PaperSnapshot(max(readings).upvotes, self.listed_at[paper_id], now)

    def readings_after(
        self, paper_id: str, now: datetime, min_delay: timedelta, max_delay: timedelta
    ) -> list[UpvoteReading]:
        return [
            reading
            for reading in self.readings[paper_id]
            if min_delay <= reading.observed_at - now <= max_delay
        ]


def load_archive() -> Archive:
    listed_at: dict[str, datetime] = {}
    readings = defaultdict(list)
    with benchmarks.data_path("huggingface/upvote_observations.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            paper_id = row["arxiv_id"]
            readings[paper_id].append(
                UpvoteReading(parse_utc_datetime(row["observed_at"]), int(row["upvotes"]))
            )
            if listed := row["submitted_on_daily_at"] or row["daily_date"]:
                moment = datetime.fromisoformat(listed).replace(tzinfo=UTC)
                listed_at[paper_id] = min(moment, listed_at.get(paper_id, moment))
    return Archive(listed_at, readings)


def end_of_hour(reading: UpvoteReading) -> datetime:
    """Return the moment to rank at, so that all readings of one round count."""
    return reading.observed_at.replace(minute=59, second=59)


def cases_within_a_day(archive: Archive) -> CasesByDay:
    """Return each day's papers as of the first moment when enough of them had a reading."""
    papers_by_day = defaultdict(list)
    for paper_id, listed_at in archive.listed_at.items():
        papers_by_day[listed_at.date()].append(paper_id)
    days = {}
    for day, paper_ids in sorted(papers_by_day.items()):
        moments = {
            end_of_hour(reading)
            for paper_id in paper_ids
            for reading in archive.readings[paper_id]
            if timedelta()
            <= reading.observed_at - archive.listed_at[paper_id]
            <= EARLY_READING_WINDOW
        }
        for now in sorted(moments):
            cases = list(cases_a_week_later(archive, paper_ids, now))
            if len(cases) >= MIN_PAPERS_PER_DAY:
                days[day.isoformat()] = cases
                break
    return days


def cases_a_week_later(archive: Archive, paper_ids: Iterable[str], now: datetime) -> Iterator[Case]:
    """Yield a case for each paper with a fresh reading and one about a week later."""
    for paper_id in paper_ids:
        if archive.listed_at[paper_id] > now:
            continue
        snapshot = archive.snapshot(paper_id, now, max_age=EARLY_READING_WINDOW)
        later = archive.readings_after(paper_id, now, *LATE_READING_RANGE)
        if snapshot and later:
            nearest = min(later, key=lambda reading: abs(reading.observed_at - now - 7 * DAY))
            yield Case(snapshot, nearest.upvotes)


def cases_across_days(archive: Archive) -> tuple[CasesByDay, CasesByDay]:
    """Return the papers of the last week as of each moment, judged by gain and by final count.

    All papers of a moment are judged on the same later date, so none had longer to gather votes.
    Of each day, only the moment with the most papers is used.
    """
    moments = {
        end_of_hour(reading) for readings in archive.readings.values() for reading in readings
    }
    gains: dict[str, list[Case]] = {}
    counts: dict[str, list[Case]] = {}
    for now in sorted(moments):
        outcomes = outcomes_of_week(archive, now)
        listing_days = {snapshot.listed_at.date() for snapshot, _ in outcomes}
        day = now.date().isoformat()
        if len(listing_days) >= MIN_DAYS and len(outcomes) > len(gains.get(day, ())):
            gains[day] = [Case(snapshot, later - snapshot.upvotes) for snapshot, later in outcomes]
            counts[day] = [Case(snapshot, later) for snapshot, later in outcomes]
    return days_with_enough_papers(gains), days_with_enough_papers(counts)


def outcomes_of_week(archive: Archive, now: datetime) -> list[tuple[PaperSnapshot, int]]:
    """Return the papers of the last week with their upvotes on the best covered later date."""
    outcomes_by_date: dict[date, list[tuple[PaperSnapshot, int]]] = defaultdict(list)
    for paper_id, listed_at in archive.listed_at.items():
        if not timedelta() <= now.date() - listed_at.date() <= TRENDING_WINDOW_DAYS * DAY:
            continue
        snapshot = archive.snapshot(paper_id, now, max_age=MAX_READING_AGE)
        if listed_at > now or snapshot is None:
            continue
        # The first reading on each later date.
        first_readings = {
            reading.observed_at.date(): reading
            for reading in reversed(archive.readings_after(paper_id, now, *GAIN_HORIZON_RANGE))
        }
        for later_date, reading in first_readings.items():
            outcomes_by_date[later_date].append((snapshot, reading.upvotes))
    return max(outcomes_by_date.values(), key=len, default=[])


# Printing


def print_comparison_table(
    title: str, cases_by_day: CasesByDay, *, with_verdict: bool = True
) -> None:
    """Print the formulas side by side, and whether ours is as good as the best of the others."""
    results = {name: evaluate(cases_by_day, formula) for name, formula in FORMULAS.items()}
    paper_count = sum(map(len, cases_by_day.values()))
    table = Table(
        title=f"{title}: {paper_count} papers on {len(cases_by_day)} days", title_justify="left"
    )
    table.add_column("ranked by")
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
    """Yield decays of attention by name: ours with other constants, and half-lives."""
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
    """Print why our decay was chosen: NDCG@5 across days, and the difference from ours."""
    table = Table(title="All papers of a week, NDCG@5 by decay", title_justify="left")
    for name in ("", "later gain", "difference", "final count"):
        table.add_column(name, justify="right" if name else "left")
    base = evaluate(gains_by_day, current_formula)[0]
    for name, formula in decay_formulas():
        gain = evaluate(gains_by_day, formula)[0]
        low, high = bootstrap_interval(gain - base)
        table.add_row(
            name,
            format_interval(gain),
            f"{(gain - base).mean():+.3f} \\[{low:+.3f}, {high:+.3f}]",
            format_interval(evaluate(counts_by_day, formula)[0]),
        )
    Console(width=TABLE_WIDTH).print(table)
    print()


def format_age_counts(cases_by_day: CasesByDay) -> str:
    counts = Counter(case.snapshot.age.days for cases in cases_by_day.values() for case in cases)
    return ", ".join(f"{age} d: {counts[age]}" for age in sorted(counts))


def main() -> None:
    print_comparison_table("Morning of the day, and weeks later", load_early_and_late())
    archive = load_archive()
    print_comparison_table(
        "First reading of the day, and about a week later", cases_within_a_day(archive)
    )
    gains, counts = cases_across_days(archive)
    print_comparison_table("All papers of a week, and the upvotes they gained later", gains)
    # No decay can win here: the papers with most upvotes in the end had most before, too.
    print_comparison_table(
        "All papers of a week, and their final upvotes", counts, with_verdict=False
    )
    print(f"Ages of the papers: {format_age_counts(gains)}.\n")
    print_decays(gains, counts)
