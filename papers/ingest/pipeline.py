"""Taking in papers: from a source, from a saved answer, or from the bundled sample."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from django.conf import settings

from papers.catalogue import upsert
from papers.catalogue.upsert import Added
from papers.ingest import sample, schedule
from papers.ingest.registry import UnknownSource
from papers.models import Paper
from papers.sources import Known, MalformedAnswer, Record, Source, SourceUnavailable, Wanted, http
from papers.trends import readings

# How long a day's list is asked for again: its upvotes double within a week.
POLLED_DAYS = 7
# Of papers that were listed longer ago nothing more is asked, and of no more than so many at once.
WATCHED_DAYS, MOST_WATCHED = 30, 1_000


class UnreadableFile(Exception):
    """The saved answer could not be read; one sentence says why."""


# What may go wrong without anything being wrong here.
FAILURES = (SourceUnavailable, MalformedAnswer, UnknownSource, UnreadableFile)


@dataclass(slots=True)
class Taken:
    """What an intake came to; its text is the line of result."""

    source: str
    added: Added = field(default_factory=Added)
    readings: int = 0

    @property
    def papers(self) -> int:
        return self.added.created + self.added.updated + self.added.unchanged

    def __iadd__(self, other: Taken) -> Taken:
        self.added += other.added
        self.readings += other.readings
        return self

    def __str__(self) -> str:
        line = (
            f"{self.source}: {self.papers} papers ({self.added.created} new, "
            f"{self.added.updated} updated), {self.readings} readings"
        )
        rejected = Counter(self.added.rejected)
        if not rejected:
            return line
        reasons = ", ".join(
            f"{times} {reason}" if len(rejected) > 1 else reason
            for reason, times in rejected.most_common()
        )
        return f"{line}, {rejected.total()} rejected ({reasons})"


def ask(source: Source, wanted: Wanted, *, clock: Callable[[], datetime]) -> Iterator[Taken]:
    """Poll, and note how that went, for the next time and for the operator."""
    schedule.started(source.name, now=clock())
    papers = 0
    try:
        for part in poll(source, wanted, now=clock()):
            papers += part.papers
            yield part
    except FAILURES as failure:
        schedule.ended(source.name, now=clock(), papers=papers, error=str(failure))
        raise
    schedule.ended(source.name, now=clock(), papers=papers, error="")


def poll(source: Source, wanted: Wanted, *, now: datetime) -> Iterator[Taken]:
    """Ask, and take in answer by answer: what came before a failure is kept."""
    for answer in source.fetch(wanted):
        taken = take_in(source.name, answer.records, observed_at=readings.hour_of(now))
        taken.added.rejected += answer.rejected
        if answer.cursor:
            schedule.went_to(source.name, answer.cursor)
        yield taken


def wanted_of(name: str, *, days: int, now: datetime, query: str = "") -> Wanted:
    """What this site asks a source for: a search, or else what is new."""
    if query:
        return Wanted(query=query)
    return Wanted(
        days=tuple(now.date() - timedelta(days=ago) for ago in range(days)),
        papers=tuple(watched(name, now=now)),
        categories=tuple(settings.ARXIV_CATEGORIES),
        cursor=schedule.cursor_of(name),
    )


def watched(name: str, *, now: datetime) -> Iterator[Known]:
    """The papers of the last weeks, the hottest first; of arXiv only those that it has not told of."""
    recent = Paper.objects.filter(day__gt=now.date() - timedelta(days=WATCHED_DAYS))
    if name == "arxiv":
        recent = recent.exclude(tellers__has_key="categories")
    found = recent.order_by("-score", "-day", "identity")[:MOST_WATCHED]
    for arxiv_id, doi, code_url in found.values_list("arxiv_id", "doi", "code_url"):
        yield Known(arxiv_id=arxiv_id, doi=doi, code_url=code_url)


def read_file(source: Source, path: Path, *, now: datetime) -> Taken:
    """Take in a saved answer; that of a past day as if it had been read at the day's end."""
    answer = source.parse(contents(path), day=day_in(path.name))
    day = answer.last_day or now.date()
    observed_at = readings.hour_of(now)
    if day < now.date():
        observed_at = datetime.combine(day, time(23, 59, 59), tzinfo=UTC)
    taken = take_in(source.name, answer.records, observed_at=observed_at)
    taken.added.rejected += answer.rejected
    return taken


def use_sample(*, now: datetime) -> Taken:
    """Take in the bundled sample, which is never used unless asked for."""
    records = sample.records(now.date())
    taken = Taken("sample", upsert.add(records, source="sample", told_at=now))
    ids = {record.arxiv_id: paper_id for record, paper_id in taken.added.taken}
    for observed_at, figures in sample.observations(now.date()):
        told = [(record, ids[record.arxiv_id]) for record in figures]
        taken.readings += readings.observe(told, observed_at=observed_at)
    return taken


def take_in(source: str, records: Sequence[Record], *, observed_at: datetime) -> Taken:
    added = upsert.add(records, source=source, told_at=observed_at)
    return Taken(source, added, readings.observe(added.taken, observed_at=observed_at))


def contents(path: Path) -> bytes:
    if path.is_dir():
        raise UnreadableFile(f"{path} is a folder, not a saved answer.")
    if not path.exists():
        raise UnreadableFile(f"There is no file {path}.")
    try:
        with path.open("rb") as file:
            body = file.read(http.MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(f"{path} could not be read ({error.strerror}).") from None
    if len(body) > http.MOST_BYTES:
        raise UnreadableFile(f"{path} is larger than 50 MB: that is not one saved answer.")
    return body


def day_in(name: str) -> date | None:
    """The day in a file's name, as in daily_papers-2026-05-12.json."""
    found = re.search(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", name)
    try:
        return date.fromisoformat(found.group()) if found else None
    except ValueError:
        return None
