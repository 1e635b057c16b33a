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
from papers.models import TRENDING_DAYS
from papers.trends import score

SEED = 20260512
SHUFFLES, RESAMPLES = 20, 2000
WIDTH = 110
# A shorter list says little about an order.
FEWEST = 12
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# A list is read within this long; "a week later" is between those.
EARLY = timedelta(hours=36)
LATER = (4 * DAY, 14 * DAY)
# Across days: how old the newest reading may be, how long after it we look, and how many of the
# days must be there. (Ours is never older than three hours; archives were kept once a day.)
FRESH, GAINED, FEWEST_DAYS = timedelta(hours=26), (2 * DAY, 60 * DAY), 3


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a paper at the moment of the ranking."""

    upvotes: int
    listed_at: datetime
    now: datetime

    @property
    def hours(self) -> float:
        return max((self.now - self.listed_at) / HOUR, 0.0)

    @property
    def days(self) -> timedelta:
        """Age as papers/trends/ranking.py takes it: in whole days."""
        return self.now.date() - self.listed_at.date()


@dataclass(frozen=True, slots=True)
class Case:
    known: Known
    # The count that the ranking is to foresee.
    later: int


@dataclass(frozen=True, slots=True, order=True)
class Seen:
    at: datetime
    upvotes: int


Days = Mapping[str, Sequence[Case]]
Formula = Callable[[Known], float]


def ours(paper: Known) -> float:
    return score.score(paper.upvotes, age=paper.days)


def upvotes(paper: Known) -> float:
    return paper.upvotes


def hacker_news(paper: Known) -> float:
    return float(max(paper.upvotes - 1, 0) ** 0.8 / (paper.hours + 2) ** 1.8)


def reddit_hot(paper: Known) -> float:
    return math.log10(max(paper.upvotes, 1)) + paper.listed_at.timestamp() / 45_000


def velocity(paper: Known) -> float:
    """Upvotes an hour since it was listed."""
    return paper.upvotes / max(paper.hours, 1.0)


def chance(paper: Known) -> float:
    return 0.0  # all equal: the order of the shuffle


OURS = "trending.score"
FORMULAS: dict[str, Formula] = {
    OURS: ours,
    "upvotes": upvotes,
    "Hacker News": hacker_news,
    "Reddit hot": reddit_hot,
    "velocity": velocity,
    "random": chance,
}


# Judging


def gain(later: int) -> float:
    """What a paper in its place is worth: one with 63 upvotes six times one with a single one."""
    return math.log2(1 + max(later, 0))


def ndcg(later: Sequence[int], *, top: int) -> float:
    """The order's discounted gain as a share of the best order's; 1 where nothing can be won."""
    best = discounted(sorted(later, reverse=True)[:top])
    return discounted(later[:top]) / best if best else 1.0


def discounted(later: Sequence[int]) -> float:
    return sum(gain(each) / math.log2(place + 2) for place, each in enumerate(later))


def precision(later: Sequence[int], *, top: int) -> float:
    """The share of the first places with papers that are in the later top too, ties included."""
    least = sorted(later, reverse=True)[top - 1]
    return sum(each >= least for each in later[:top]) / top


MEASURES: dict[str, Callable[[Sequence[int]], float]] = {
    "NDCG@5": lambda later: ndcg(later, top=5),
    "NDCG@10": lambda later: ndcg(later, top=10),
    "precision@5": lambda later: precision(later, top=5),
}


def judged(days: Days, formula: Formula) -> np.ndarray:
    """Each measure (rows) on each day (columns), the mean over several shuffles of the list."""
    shuffler = random.Random(SEED)
    return np.array([on_day(cases, formula, shuffler) for cases in days.values()]).T


def on_day(cases: Sequence[Case], formula: Formula, shuffler: random.Random) -> list[float]:
    scored = [(formula(case.known), case.later) for case in cases]
    totals = [0.0] * len(MEASURES)
    for _ in range(SHUFFLES):
        shuffler.shuffle(scored)
        later = [each for _, each in sorted(scored, key=lambda pair: -pair[0])]
        totals = [
            total + measure(later) for total, measure in zip(totals, MEASURES.values(), strict=True)
        ]
    return [total / SHUFFLES for total in totals]


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean over days."""
    generator = np.random.default_rng(SEED)
    drawn = generator.choice(values, size=(RESAMPLES, len(values)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


# Data


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


def early_and_late() -> Days:
    """One morning reading of each paper on its day, and one of 28 May 2026."""
    late = {row["id"]: row for row in json_lines("trend/late.jsonl.gz")}
    days = defaultdict(list)
    for row in json_lines("trend/early.jsonl.gz"):
        if row["id"] not in late or not row["daily_at"]:
            continue
        now, after = moment(row["snapshot_at"]), moment(late[row["id"]]["observed_at"])
        if after - now >= LATER[0]:
            known = Known(row["upvotes"], moment(row["daily_at"]), now)
            days[row["file_date"]].append(Case(known, late[row["id"]]["upvotes"]))
    return long_enough(days)


def json_lines(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(benchmarks.data(name), "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def long_enough(days: Mapping[str, list[Case]]) -> Days:
    return {day: cases for day, cases in sorted(days.items()) if len(cases) >= FEWEST}


@dataclass(frozen=True, slots=True)
class Archive:
    """Readings by other people's archives: of which paper, when, and how many upvotes."""

    listed_at: Mapping[str, datetime]
    readings: Mapping[str, Sequence[Seen]]

    def known(self, paper: str, now: datetime, *, fresh: timedelta) -> Known | None:
        """Its newest reading by then, if that is fresh: nothing that was read later."""
        seen = [each for each in self.readings[paper] if now - fresh <= each.at <= now]
        return Known(max(seen).upvotes, self.listed_at[paper], now) if seen else None

    def after(self, paper: str, now: datetime, least: timedelta, most: timedelta) -> list[Seen]:
        return [each for each in self.readings[paper] if least <= each.at - now <= most]


def archive() -> Archive:
    listed: dict[str, datetime] = {}
    readings = defaultdict(list)
    with benchmarks.data("huggingface/upvote_observations.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            paper = row["arxiv_id"]
            readings[paper].append(Seen(moment(row["observed_at"]), int(row["upvotes"])))
            on = row["submitted_on_daily_at"] or row["daily_date"]
            if on:
                at = datetime.fromisoformat(on).replace(tzinfo=UTC)
                listed[paper] = min(at, listed.get(paper, at))
    return Archive(listed, readings)


def within_a_day(kept: Archive) -> Days:
    """Each day's papers as of the first moment when enough of them had been read."""
    papers = defaultdict(list)
    for paper, at in kept.listed_at.items():
        papers[at.date()].append(paper)
    days = {}
    for day, of_day in sorted(papers.items()):
        moments = {
            seen.at.replace(minute=59, second=59)
            for paper in of_day
            for seen in kept.readings[paper]
            if timedelta() <= seen.at - kept.listed_at[paper] <= EARLY
        }
        for now in sorted(moments):
            cases = list(week_later(kept, of_day, now))
            if len(cases) >= FEWEST:
                days[day.isoformat()] = cases
                break
    return days


def week_later(kept: Archive, papers: Iterable[str], now: datetime) -> Iterator[Case]:
    for paper in papers:
        known = kept.known(paper, now, fresh=EARLY) if kept.listed_at[paper] <= now else None
        later = kept.after(paper, now, *LATER)
        if known and later:
            yield Case(known, min(later, key=lambda seen: abs(seen.at - now - 7 * DAY)).upvotes)


def across_days(kept: Archive) -> tuple[Days, Days]:
    """As of each moment, the papers of the last week: judged by votes to come, and by the count.

    Both are of the same later date for all papers, so none had longer to gather votes. One moment
    of a day: that with the most papers.
    """
    moments = {
        seen.at.replace(minute=59, second=59)
        for all_seen in kept.readings.values()
        for seen in all_seen
    }
    gained: dict[str, list[Case]] = {}
    counts: dict[str, list[Case]] = {}
    for now in sorted(moments):
        cases = [*of_the_week(kept, now)]
        days = {known.listed_at.date() for known, _ in cases}
        name = now.date().isoformat()
        if len(days) >= FEWEST_DAYS and len(cases) > len(gained.get(name, ())):
            gained[name] = [Case(known, later - known.upvotes) for known, later in cases]
            counts[name] = [Case(known, later) for known, later in cases]
    return long_enough(gained), long_enough(counts)


def of_the_week(kept: Archive, now: datetime) -> list[tuple[Known, int]]:
    read: dict[Any, list[tuple[Known, int]]] = defaultdict(list)
    for paper, listed_at in kept.listed_at.items():
        if not timedelta() <= now.date() - listed_at.date() <= TRENDING_DAYS * DAY:
            continue
        if listed_at > now or not (known := kept.known(paper, now, fresh=FRESH)):
            continue
        # The first reading on each later date, so that papers are compared on one of them.
        later = {seen.at.date(): seen for seen in reversed(kept.after(paper, now, *GAINED))}
        for date, seen in later.items():
            read[date].append((known, seen.upvotes))
    return max(read.values(), key=len, default=[])


# Printing


def show(title: str, days: Days, *, rivals: bool = True) -> None:
    """The formulas side by side, and whether ours is as good as the best of the others."""
    results = {name: judged(days, formula) for name, formula in FORMULAS.items()}
    papers = sum(map(len, days.values()))
    table = Table(title=f"{title}: {papers} papers on {len(days)} days", title_justify="left")
    table.add_column("ordered by")
    for name in MEASURES:
        table.add_column(f"{name} [95 %]", justify="right")
    for name, result in results.items():
        table.add_row(name, *map(cell, result))
    Console(width=WIDTH).print(table)
    if rivals:
        compare(results)


def compare(results: Mapping[str, np.ndarray]) -> None:
    rivals = {name: result[0] for name, result in results.items() if name != OURS}
    best = max(rivals, key=lambda name: float(rivals[name].mean()))
    difference = results[OURS][0] - rivals[best]
    low, high = interval(difference)
    if difference.mean() >= -1e-9:
        verdict = "at least as good as"
    else:
        verdict = "as good (within the noise) as" if high >= 0 else "NOT as good as"
    print(
        f"{OURS} is {verdict} the best rival, {best}, on NDCG@5:"
        f" {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}] on the same days.\n",
        flush=True,
    )


def cell(values: np.ndarray) -> str:
    low, high = interval(values)
    return f"{values.mean():.3f} \\[{low:.3f}, {high:.3f}]"


def decays() -> Iterator[tuple[str, Formula]]:
    """Ways in which attention may fade: our own with other constants, and half-lives."""
    for hours in (3, 6, 12, 24, 48):
        yield f"upvotes / (age + {hours} h)", faded(hours=hours)
    for hours in (12, 24, 36, 48, 72, 120, 168):
        yield f"log(1 + upvotes), half-life {hours} h", halved(math.log1p, hours=hours)
    for hours in (12, 24, 36, 48, 72):
        yield f"upvotes, half-life {hours} h", halved(float, hours=hours)


def faded(*, hours: int) -> Formula:
    return lambda paper: paper.upvotes / (paper.days + hours * HOUR).total_seconds()


def halved(of: Callable[[int], float], *, hours: int) -> Formula:
    return lambda paper: of(paper.upvotes) * 0.5 ** (paper.days / (hours * HOUR))


def show_decays(gained: Days, counts: Days) -> None:
    """Why our constant: NDCG@5 across days, and how much that differs from ours."""
    table = Table(title="All papers of a week, NDCG@5 by decay", title_justify="left")
    for name in ("", "votes to come", "against ours", "count then"):
        table.add_column(name, justify="right" if name else "left")
    base = judged(gained, ours)[0]
    for name, formula in decays():
        come = judged(gained, formula)[0]
        low, high = interval(come - base)
        table.add_row(
            name,
            cell(come),
            f"{(come - base).mean():+.3f} \\[{low:+.3f}, {high:+.3f}]",
            cell(judged(counts, formula)[0]),
        )
    Console(width=WIDTH).print(table)
    print()


def ages(days: Days) -> str:
    found = Counter(case.known.days.days for cases in days.values() for case in cases)
    return ", ".join(f"{age} d: {found[age]}" for age in sorted(found))


def main() -> None:
    show("Morning of the day, and weeks later", early_and_late())
    kept = archive()
    show("First reading of the day, and about a week later", within_a_day(kept))
    gained, counts = across_days(kept)
    show("All papers of a week, and the votes they gained after it", gained)
    # Which no decay can win: who has most has had most before.
    show("All papers of a week, and their count then", counts, rivals=False)
    print(f"Ages in it: {ages(gained)}.\n")
    show_decays(gained, counts)
