"""Import papers and readings from a source, a saved response or the bundled sample.

Each response of a source is stored before the next is requested, so a failure loses nothing that
was received. Repeating an import changes nothing: papers are upserted, and a reading is kept once
per hour.
"""

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

# A day's list is fetched again for this many days: its upvotes double within a week.
POLLED_DAYS = 7
# The limits for papers whose metrics are refreshed, by age and by number per poll.
REFRESH_DAYS, MAX_REFRESHED_PAPERS = 30, 1_000


class UnreadableResponseFileError(Exception):
    """The file with a saved response could not be read; the message says why."""


# Failures of the outside world. Any other exception is a bug, and must not be caught with them.
EXPECTED_ERRORS = (
    SourceUnavailableError,
    InvalidResponseError,
    UnknownSourceError,
    UnreadableResponseFileError,
)


@dataclass(slots=True)
class IngestResult:
    """The outcome of an import; its string is the summary line for operators."""

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
            f"{count} {reason}" if len(rejected) > 1 else reason
            for reason, count in rejected.most_common()
        )
        return f"{line}, {rejected.total()} rejected ({reasons})"


def poll_and_record(
    source: Source, request: FetchRequest, *, clock: Callable[[], datetime]
) -> Iterator[IngestResult]:
    """Fetch and store as `fetch_and_store` does, and record the outcome in the source's status.

    Raise one of `EXPECTED_ERRORS` if the source fails, after recording it.
    """
    schedule.mark_started(source.name, now=clock())
    paper_count = 0
    try:
        for part in fetch_and_store(source, request, now=clock()):
            paper_count += part.paper_count
            yield part
    except EXPECTED_ERRORS as error:
        schedule.mark_finished(source.name, now=clock(), papers=paper_count, error=str(error))
        raise
    schedule.mark_finished(source.name, now=clock(), papers=paper_count, error="")


def fetch_and_store(
    source: Source, request: FetchRequest, *, now: datetime
) -> Iterator[IngestResult]:
    """Fetch from a source; store and yield response by response.

    The cursor is saved after its response is stored, so that a fetch that breaks off can continue
    without a gap.
    """
    for response in source.fetch(request):
        result = store_records(
            source.name, response.records, observed_at=readings.truncate_to_hour(now)
        )
        result.upserts.rejected += response.rejected
        if response.cursor:
            schedule.save_cursor(source.name, response.cursor)
        yield result


def build_fetch_request(name: str, *, days: int, now: datetime, query: str = "") -> FetchRequest:
    """Return a request for a search, or without a query for what is new."""
    if query:
        return FetchRequest(query=query)
    return FetchRequest(
        days=tuple(now.date() - timedelta(days=ago) for ago in range(days)),
        papers=tuple(papers_to_refresh(name, now=now)),
        categories=tuple(settings.ARXIV_CATEGORIES),
        cursor=schedule.get_cursor(name),
    )


def papers_to_refresh(name: str, *, now: datetime) -> Iterator[KnownPaper]:
    """Yield recent papers whose metrics a source may report, the highest score first.

    arXiv has no metrics: for it, yield only papers whose categories are still unknown.
    """
    recent = Paper.objects.filter(sort_date__gt=now.date() - timedelta(days=REFRESH_DAYS))
    if name == "arxiv":
        recent = recent.exclude(field_sources__has_key="categories")
    papers = recent.order_by("-score", "-sort_date", "identity")[:MAX_REFRESHED_PAPERS]
    for arxiv_id, doi, code_url in papers.values_list("arxiv_id", "doi", "code_url"):
        yield KnownPaper(arxiv_id=arxiv_id, doi=doi, code_url=code_url)


def ingest_file(source: Source, path: Path, *, now: datetime) -> IngestResult:
    """Import a saved response; one of a past day counts as received at that day's end.

    Raise `UnreadableResponseFileError` or `InvalidResponseError`, and store nothing, if it is not
    a response of the source.
    """
    response = source.parse(read_bytes(path), day=date_from_filename(path.name))
    day = response.latest_listing_date or now.date()
    observed_at = readings.truncate_to_hour(now)
    if day < now.date():
        observed_at = datetime.combine(day, time(23, 59, 59), tzinfo=UTC)
    result = store_records(source.name, response.records, observed_at=observed_at)
    result.upserts.rejected += response.rejected
    return result


def load_sample(*, now: datetime) -> IngestResult:
    """Import the bundled sample. Nothing but an explicit command may call this."""
    records = sample.build_records(now.date())
    upserts = upsert.upsert_records(records, source="sample", observed_at=now)
    paper_ids = {record.arxiv_id: paper_id for record, paper_id in upserts.stored}
    result = IngestResult("sample", upserts)
    for observed_at, observed_records in sample.build_observations(now.date()):
        pairs = [(record, paper_ids[record.arxiv_id]) for record in observed_records]
        result.reading_count += readings.record_readings(pairs, observed_at=observed_at)
    return result


def store_records(source: str, records: Sequence[Record], *, observed_at: datetime) -> IngestResult:
    """Upsert the records' papers, and record their metrics as readings of that moment."""
    upserts = upsert.upsert_records(records, source=source, observed_at=observed_at)
    reading_count = readings.record_readings(upserts.stored, observed_at=observed_at)
    return IngestResult(source, upserts, reading_count)


def read_bytes(path: Path) -> bytes:
    """Return a file's content; raise `UnreadableResponseFileError` if that is impossible."""
    if path.is_dir():
        raise UnreadableResponseFileError(f"{path} is a folder, not a saved response.")
    if not path.exists():
        raise UnreadableResponseFileError(f"There is no file {path}.")
    try:
        with path.open("rb") as file:
            body = file.read(http.MAX_RESPONSE_BYTES + 1)
    except OSError as error:
        raise UnreadableResponseFileError(f"{path} could not be read ({error.strerror}).") from None
    if len(body) > http.MAX_RESPONSE_BYTES:
        raise UnreadableResponseFileError(
            f"{path} is larger than 50 MB, which is more than one saved response."
        )
    return body


def date_from_filename(name: str) -> date | None:
    """Return the date in a file name such as daily_papers-2026-05-12.json; None without one."""
    match = re.search(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", name)
    try:
        return date.fromisoformat(match.group()) if match else None
    except ValueError:
        return None
