"""Upsert source records into papers: idempotent, and independent of the records' order.

Several sources report on one paper: papers/catalogue/lookup.py matches a record to the stored
papers, papers/catalogue/precedence.py decides which source's value wins, and
papers/catalogue/merging.py merges papers that turn out to be the same.

Each batch is one transaction that locks the papers it may change, so imports can run side by side.
A worker that dies loses at most the current batch; running the import again completes it. Cost:
about ten queries per batch, whatever the number of its records. Merging two stored papers takes a
few more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from papers import identity
from papers.catalogue.batch import UpsertBatch
from papers.catalogue.changes import ChangeStatus
from papers.catalogue.cleaning import clean_record
from papers.catalogue.lookup import NormalisedRecord
from papers.models import Paper
from papers.search import engine
from papers.sources import Record
from papers.topics import classifier, sync

# The year of the first scientific journals.
MIN_PUBLICATION_DATE = date(1665, 1, 1)
# Records in one transaction: large enough to need few queries, small enough to hold locks briefly.
UPSERT_BATCH_SIZE = 200
# A record fails only if another import inserts its paper at the same moment: once is enough.
MAX_ATTEMPTS = 2

# The fields that records have values for, then those that are derived from them.
SOURCE_FIELDS = (
    "title",
    "abstract",
    "machine_summary",
    "authors",
    "organization",
    "categories",
    "keywords",
    "published_on",
    "listed_on",
    "code_url",
    "project_url",
    "withdrawn",
)
UPDATED_FIELDS = (
    *SOURCE_FIELDS,
    "identity",
    "arxiv_id",
    "doi",
    "title_key",
    "sort_date",
    "field_sources",
)


@dataclass(slots=True)
class UpsertResult:
    """The number of papers by outcome, and the records by outcome."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    # One reason per rejected record.
    rejected: list[str] = field(default_factory=list)
    # Each stored record with its paper's id.
    stored: list[tuple[Record, int]] = field(default_factory=list)

    def __iadd__(self, other: UpsertResult) -> UpsertResult:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.rejected += other.rejected
        self.stored += other.stored
        return self


def upsert_records(
    records: Iterable[Record], *, source: str, observed_at: datetime
) -> UpsertResult:
    """Insert or update papers from what a source reported at a moment, with topics and index.

    An empty value never replaces another: a source that no longer reports a paper's code has not
    retracted it. `listed_on` stays the earliest date ever reported: a paper that is listed again
    days later is not new to readers, so it must not trend again.
    """
    result = UpsertResult()
    normalised: list[NormalisedRecord] = []
    for record in records:
        record_or_reason = normalise_record(record, observed_at=observed_at)
        if isinstance(record_or_reason, str):
            result.rejected.append(record_or_reason)
        else:
            normalised.append(record_or_reason)
    topic_ids = sync.sync_topics()
    # Sort by identifiers, so that records of one paper come into one batch. A record without a
    # title can only add to a known paper, so it comes after those that may create the paper.
    normalised.sort(
        key=lambda record: (record.arxiv_id, not record.title_key, record.doi, record.title_key)
    )
    for batch in split_into_batches(normalised):
        result += upsert_batch(batch, topic_ids, source=source)
    return result


def normalise_record(record: Record, *, observed_at: datetime) -> NormalisedRecord | str:
    """Return the cleaned record, or the reason to reject it."""
    fields = {
        name: value
        for name, value in clean_record(record).items()
        if is_plausible_date(value, observed_at)
    }
    doi = identity.parse_doi(record.doi)
    # arXiv registers a DOI for each paper, which holds the paper's arXiv id.
    arxiv_id_in_doi = identity.parse_arxiv_id(doi)
    arxiv_id = identity.parse_arxiv_id(record.arxiv_id) or arxiv_id_in_doi or ""
    if record.arxiv_id and not arxiv_id:
        return "not an arXiv id"
    if not (arxiv_id or doi or identity.title_key(fields.get("title", ""))):
        return "no title"
    return NormalisedRecord(
        record=record,
        fields=fields,
        arxiv_id=arxiv_id,
        doi="" if arxiv_id_in_doi else doi,
        reported_at=int((record.updated_at or observed_at).timestamp()),
    )


def is_plausible_date(value: Any, observed_at: datetime) -> bool:
    """Return False for a date before any journal or after tomorrow; True for any other value."""
    return not isinstance(
        value, date
    ) or MIN_PUBLICATION_DATE <= value <= observed_at.date() + timedelta(days=2)


def upsert_batch(
    records: Sequence[NormalisedRecord], topic_ids: dict[str, int], *, source: str
) -> UpsertResult:
    """Store a batch of records, and try again with those that lost a race.

    Another import may insert a paper between our look-up and our insert. The next attempt finds
    that paper, and waits for its lock.
    """
    result = UpsertResult()
    pending = records
    for _ in range(MAX_ATTEMPTS):
        if pending:
            attempt, pending = store_batch(pending, topic_ids, source=source)
            result += attempt
    result.rejected += ["conflicts with another paper"] * len(pending)
    return result


@transaction.atomic
def store_batch(
    records: Sequence[NormalisedRecord], topic_ids: dict[str, int], *, source: str
) -> tuple[UpsertResult, list[NormalisedRecord]]:
    """Store what can be stored in one transaction; return also the records that lost a race."""
    batch = UpsertBatch(records, source=source)
    changed = batch.papers(ChangeStatus.CHANGED)
    provenance_only = batch.papers(ChangeStatus.PROVENANCE_ONLY)
    existing = [*changed, *provenance_only, *batch.papers(ChangeStatus.UNCHANGED)]
    if changed:
        Paper.objects.bulk_update(changed, UPDATED_FIELDS)
    if provenance_only:
        Paper.objects.bulk_update(provenance_only, ["field_sources"])
    created = insert_new(batch.papers(ChangeStatus.NEW))
    stale_ids = {paper.pk for paper in changed} | set_topics([*existing, *created], topic_ids)
    engine.update_index([*(paper for paper in existing if paper.pk in stale_ids), *created])

    stored, lost = batch.resolve([*existing, *created])
    result = UpsertResult(
        created=len(created),
        updated=len(changed),
        unchanged=len(existing) - len(changed),
        rejected=["unknown paper"] * batch.unmatched_count,
        stored=stored,
    )
    return result, lost


def insert_new(papers: Sequence[Paper]) -> list[Paper]:
    """Insert papers; return them as stored, without those that another import inserted first."""
    if not papers:
        return []
    Paper.objects.bulk_create(papers, ignore_conflicts=True)
    # `ignore_conflicts` reports neither ids nor conflicts, so read the rows back: a row whose
    # provenance differs is the other import's.
    provenance = {paper.identity: paper.field_sources for paper in papers}
    stored = Paper.objects.filter(identity__in=provenance)
    return [paper for paper in stored if paper.field_sources == provenance[paper.identity]]


def set_topics(papers: Sequence[Paper], topic_ids: dict[str, int]) -> set[int]:
    """Set each paper's topics by the current rules; return the ids of papers that this changed."""
    link = Paper.topics.through
    rows = link.objects.filter(paper__in=papers).values_list("paper_id", "topic_id", "pk")
    present = {(paper_id, topic_id): pk for paper_id, topic_id, pk in rows}
    expected = {
        (paper.pk, topic_ids[slug])
        for paper in papers
        for slug in classifier.topic_slugs(
            paper.title, paper.abstract, paper.categories, paper.keywords
        )
    }
    if obsolete := {pair: pk for pair, pk in present.items() if pair not in expected}:
        link.objects.filter(pk__in=obsolete.values()).delete()
    missing = sorted(expected - present.keys())
    link.objects.bulk_create(
        [link(paper_id=paper_id, topic_id=topic_id) for paper_id, topic_id in missing],
        ignore_conflicts=True,
    )
    return {paper_id for paper_id, _ in [*obsolete, *missing]}


def split_into_batches(records: Sequence[NormalisedRecord]) -> Iterator[Sequence[NormalisedRecord]]:
    for start in range(0, len(records), UPSERT_BATCH_SIZE):
        yield records[start : start + UPSERT_BATCH_SIZE]
