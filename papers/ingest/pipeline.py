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
from papers.catalogue.upsert import UpsertResult
from papers.ingest import sample, schedule
from papers.ingest.registry import UnknownSourceError
from papers.models import Paper
from papers.sources import (
    FetchRequest,
    InvalidResponseError,
    KnownPaper,
    Record,
    Source,
    SourceUnavailableError,
    http,
)
from papers.trends import readings

# How long a day's list is asked for again: its upvotes double within a week.
POLLED_DAYS = 7
# Of papers that were listed longer ago nothing more is asked, and of no more than so many at once.
REFRESH_DAYS, MAX_REFRESHED_PAPERS = 30, 1_000


class UnreadableResponseFileError(Exception):
    """The saved answer could not be read; one sentence says why."""


# What may go wrong without anything being wrong here.
EXPECTED_ERRORS = (
    SourceUnavailableError,
    InvalidResponseError,
    UnknownSourceError,
    UnreadableResponseFileError,
)


@dataclass(slots=True)
class IngestResult:
    """What an intake came to; its text is the line of result."""

    source: str
    upserts: UpsertResult = field(default_factory=UpsertResult)
    reading_count: int = 0

    @property
    def paper_count(self) -> int:
        return self.upserts.created + self.upserts.updated + self.upserts.unchanged

    def __iadd__(self, other: IngestResult) -> IngestResult:
        self.upserts += other.upserts
        self.reading_count += other.reading_count
        return self

    def __str__(self) -> str:
        line = (
            f"{self.source}: {self.paper_count} papers ({self.upserts.created} new, "
            f"{self.upserts.updated} updated), {self.reading_count} readings"
        )
        rejected = Counter(self.upserts.rejected)
        if not rejected:
            return line
        reasons = ", ".join(
            f"{times} {reason}" if len(rejected) > 1 else reason
            for reason, times in rejected.most_common()
        )
        return f"{line}, {rejected.total()} rejected ({reasons})"


def poll_and_record(
    source: Source, request: FetchRequest, *, clock: Callable[[], datetime]
) -> Iterator[IngestResult]:
    """Poll, and note how that went, for the next time and for the operator."""
    schedule.mark_started(source.name, now=clock())
    papers = 0
    try:
        for part in fetch_and_store(source, request, now=clock()):
            papers += part.paper_count
            yield part
    except EXPECTED_ERRORS as failure:
        schedule.mark_finished(source.name, now=clock(), papers=papers, error=str(failure))
        raise
    schedule.mark_finished(source.name, now=clock(), papers=papers, error="")


def fetch_and_store(
    source: Source, request: FetchRequest, *, now: datetime
) -> Iterator[IngestResult]:
    """Ask, and take in answer by answer: what came before a failure is kept."""
    for answer in source.fetch(request):
        taken = store_records(
            source.name, answer.records, observed_at=readings.truncate_to_hour(now)
        )
        taken.upserts.rejected += answer.rejected
        if answer.cursor:
            schedule.save_cursor(source.name, answer.cursor)
        yield taken


def build_fetch_request(name: str, *, days: int, now: datetime, query: str = "") -> FetchRequest:
    """What this site asks a source for: a search, or else what is new."""
    if query:
        return FetchRequest(query=query)
    return FetchRequest(
        days=tuple(now.date() - timedelta(days=ago) for ago in range(days)),
        papers=tuple(papers_to_refresh(name, now=now)),
        categories=tuple(settings.ARXIV_CATEGORIES),
        cursor=schedule.get_cursor(name),
    )


def papers_to_refresh(name: str, *, now: datetime) -> Iterator[KnownPaper]:
    """The papers of the last weeks, the hottest first; of arXiv only those that it has not told of."""
    recent = Paper.objects.filter(sort_date__gt=now.date() - timedelta(days=REFRESH_DAYS))
    if name == "arxiv":
        recent = recent.exclude(field_sources__has_key="categories")
    found = recent.order_by("-score", "-sort_date", "identity")[:MAX_REFRESHED_PAPERS]
    for arxiv_id, doi, code_url in found.values_list("arxiv_id", "doi", "code_url"):
        yield KnownPaper(arxiv_id=arxiv_id, doi=doi, code_url=code_url)


def ingest_file(source: Source, path: Path, *, now: datetime) -> IngestResult:
    """Take in a saved answer; that of a past day as if it had been read at the day's end."""
    answer = source.parse(read_bytes(path), day=date_from_filename(path.name))
    day = answer.latest_listing_date or now.date()
    observed_at = readings.truncate_to_hour(now)
    if day < now.date():
        observed_at = datetime.combine(day, time(23, 59, 59), tzinfo=UTC)
    taken = store_records(source.name, answer.records, observed_at=observed_at)
    taken.upserts.rejected += answer.rejected
    return taken


def load_sample(*, now: datetime) -> IngestResult:
    """Take in the bundled sample, which is never used unless asked for."""
    records = sample.build_records(now.date())
    taken = IngestResult("sample", upsert.upsert_records(records, source="sample", observed_at=now))
    ids = {record.arxiv_id: paper_id for record, paper_id in taken.upserts.stored}
    for observed_at, figures in sample.build_observations(now.date()):
        told = [(record, ids[record.arxiv_id]) for record in figures]
        taken.reading_count += readings.record_readings(told, observed_at=observed_at)
    return taken


def store_records(source: str, records: Sequence[Record], *, observed_at: datetime) -> IngestResult:
    added = upsert.upsert_records(records, source=source, observed_at=observed_at)
    return IngestResult(
        source, added, readings.record_readings(added.stored, observed_at=observed_at)
    )


def read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise UnreadableResponseFileError(f"{path} is a folder, not a saved answer.")
    if not path.exists():
        raise UnreadableResponseFileError(f"There is no file {path}.")
    try:
        with path.open("rb") as file:
            body = file.read(http.MAX_RESPONSE_BYTES + 1)
    except OSError as error:
        raise UnreadableResponseFileError(f"{path} could not be read ({error.strerror}).") from None
    if len(body) > http.MAX_RESPONSE_BYTES:
        raise UnreadableResponseFileError(
            f"{path} is larger than 50 MB: that is not one saved answer."
        )
    return body


def date_from_filename(name: str) -> date | None:
    """The day in a file's name, as in daily_papers-2026-05-12.json."""
    found = re.search(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", name)
    try:
        return date.fromisoformat(found.group()) if found else None
    except ValueError:
        return None
