"""Taking in papers: from a source, from a saved answer, or from the bundled sample."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parseaddr
from functools import cache
from pathlib import Path

from django.conf import settings

from papers import catalogue, readings, sample
from papers.catalogue import Added
from papers.sources import MalformedAnswer, Record, Source, SourceUnavailable, Wanted, http
from papers.sources.huggingface import HuggingFace

# Every source, with the setting that holds its address.
SOURCES = {"huggingface": (HuggingFace, "HUGGINGFACE_URL")}
# How long a day's list is asked for again: its upvotes double within a week.
POLLED_DAYS = 7


class UnknownSource(Exception):
    """No source has that name; one sentence says which have."""


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


def source_named(name: str, *, patience: float = http.PATIENCE) -> Source:
    """The source, asking as the operator's site."""
    if name not in SOURCES:
        raise UnknownSource(f"There is no source {name!r}. Known: {', '.join(SOURCES)}.")
    kind, setting = SOURCES[name]
    client = http.Client(
        getattr(settings, setting), title=kind.title, user_agent=user_agent(), patience=patience
    )
    return kind(client)


def poll(source: Source, *, days: int, now: datetime) -> Iterator[Taken]:
    """Ask for the lists of today and the days before; what came before a failure is kept."""
    listed = [now.date() - timedelta(days=ago) for ago in range(days)]
    for answer in source.fetch(Wanted(days=tuple(listed))):
        taken = take_in(source.name, answer.records, observed_at=readings.hour_of(now))
        taken.added.rejected += answer.rejected
        yield taken


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
    taken = Taken("sample", catalogue.add(records))
    for observed_at, figures in sample.observations(now.date()):
        taken.readings += readings.observe(figures, observed_at=observed_at)
    return taken


def take_in(source: str, records: Sequence[Record], *, observed_at: datetime) -> Taken:
    added = catalogue.add(records)
    return Taken(source, added, readings.observe(records, observed_at=observed_at))


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


@cache
def user_agent() -> str:
    """Who asks, so that a source can write before it blocks."""
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    version = project["project"]["version"]
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    return f"trending-papers/{version} (+{settings.SITE_URL}; mailto:{address})"
