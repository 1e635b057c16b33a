"""Records become papers, as people read them: doing it twice, or in another order, is all the same.

One paper is told of by several sources; papers/catalogue/lookup.py says which stored paper a record is about,
papers/catalogue/precedence.py whom to believe about which field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction

from papers import identity
from papers.catalogue.cleaning import clean_record
from papers.catalogue.lookup import CandidatePapers, NormalisedRecord
from papers.catalogue.merging import merge_papers, merge_values
from papers.models import Paper
from papers.search import engine
from papers.sources import Record
from papers.topics import classifier, sync

# Of what there are papers of: the first journals.
MIN_PUBLICATION_DATE = date(1665, 1, 1)
# Papers in one transaction: a few queries each time, and no row locked for long.
UPSERT_BATCH_SIZE = 200

# What records tell, and what follows from it.
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
    """What became of the records."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[str] = field(default_factory=list)
    # Each record that was taken, with its paper's id.
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
    """Insert or refresh papers by what a source told at a moment, and set their topics.

    A value is never replaced by an empty one: a source that falls silent about a paper's code has
    not taken it back. `listed_on` is the earliest day that was ever told: a paper that is listed
    again days later is not new to those who saw it the first time, so it does not rise again.
    """
    added = UpsertResult()
    tellings = []
    for record in records:
        read = normalise_record(record, observed_at=observed_at)
        if isinstance(read, str):
            added.rejected.append(read)
        else:
            tellings.append(read)
    slugs = sync.sync_topics()
    # In the order of their numbers, so that those that mean one paper come together; what only adds
    # to a paper comes after what may make it known.
    tellings.sort(key=lambda each: (each.arxiv_id, not each.title_key, each.doi, each.title_key))
    for batch in split_into_batches(tellings):
        added += upsert_batch(batch, slugs, source=source)
    return added


def normalise_record(record: Record, *, observed_at: datetime) -> NormalisedRecord | str:
    """The record, as people read it; or why it is none."""
    fields = {
        name: value
        for name, value in clean_record(record).items()
        if is_plausible_date(value, observed_at)
    }
    number = identity.parse_doi(record.doi)
    arxiv_id = identity.parse_arxiv_id(record.arxiv_id) or identity.parse_arxiv_id(number) or ""
    if record.arxiv_id and not arxiv_id:
        return "not an arXiv id"
    if not (arxiv_id or number or identity.title_key(fields.get("title", ""))):
        return "no title"
    return NormalisedRecord(
        record=record,
        fields=fields,
        arxiv_id=arxiv_id,
        doi="" if identity.parse_arxiv_id(number) else number,
        reported_at=int((record.updated_at or observed_at).timestamp()),
    )


def is_plausible_date(value: Any, observed_at: datetime) -> bool:
    """A day that nobody can have told of is not known."""
    return not isinstance(
        value, date
    ) or MIN_PUBLICATION_DATE <= value <= observed_at.date() + timedelta(days=2)


@transaction.atomic
def upsert_batch(
    records: Sequence[NormalisedRecord],
    topic_ids: dict[str, int],
    *,
    source: str,
    is_retry: bool = False,
) -> UpsertResult:
    added = UpsertResult()
    work = UpsertBatch(CandidatePapers(records), source)
    for each in records:
        if not work.apply(each):
            added.rejected.append("not a paper that is known here")
    changed, retold = work.existing(work.changed), work.existing(work.provenance_changed)
    if changed:
        Paper.objects.bulk_update(changed, UPDATED_FIELDS)
    if retold:
        Paper.objects.bulk_update(retold, ["field_sources"])
    known = work.existing(work.papers)
    created = insert_new([paper for paper in work.papers.values() if not paper.pk])
    stale = {each.pk for each in changed} | set_topics([*known, *created], topic_ids)
    engine.update_index([*(each for each in known if each.pk in stale), *created])
    added.created, added.updated = len(created), len(changed)
    added.unchanged = len(known) - len(changed)
    ids = {each.identity: each.pk for each in [*known, *created]}
    left = []
    for each, paper in work.resolved:
        if pk := ids.get(work.resolve_merged(paper).identity):
            added.stored.append((each.record, pk))
        else:
            left.append(each)
    if left and not is_retry:
        # Another intake added them a moment ago: they are known now, and may be locked.
        added += upsert_batch(left, topic_ids, source=source, is_retry=True)
    elif left:
        added.rejected += ["not told apart from another paper"] * len(left)
    return added


def insert_new(papers: Sequence[Paper]) -> list[Paper]:
    """The papers as they were stored, but for those that another intake stored meanwhile."""
    if not papers:
        return []
    Paper.objects.bulk_create(papers, ignore_conflicts=True)
    ours = {paper.identity: paper.field_sources for paper in papers}
    stored = Paper.objects.filter(identity__in=ours)
    return [paper for paper in stored if paper.field_sources == ours[paper.identity]]


class UpsertBatch:
    """One batch, paper by paper: what is new, what changed, and what turned out to be one."""

    def __init__(self, candidates: CandidatePapers, source: str) -> None:
        self.candidates = candidates
        self.source = source
        # By their place in memory: what is new has no id yet.
        self.papers: dict[int, Paper] = {}
        self.changed: dict[int, Paper] = {}
        self.provenance_changed: dict[int, Paper] = {}
        self.merged_into: dict[int, Paper] = {}
        self.resolved: list[tuple[NormalisedRecord, Paper]] = []

    def apply(self, record: NormalisedRecord) -> bool:
        """Put what is told into its paper, new or known; False if there is none to put it into."""
        found = self.candidates.match(record)
        if not found and "title" not in record.fields:
            return False
        found.sort(key=lambda each: (each.pk is None, not each.arxiv_id, each.pk))
        paper = found[0] if found else Paper()
        for other in found[1:]:
            self.merge(paper, other)
        self.papers[id(paper)] = paper
        before = paper.field_sources
        if apply_record(paper, record, source=self.source):
            self.changed[id(paper)] = paper
        elif paper.field_sources != before:
            self.provenance_changed[id(paper)] = paper
        self.candidates.add(paper)
        self.resolved.append((record, paper))
        return True

    def merge(self, paper: Paper, other: Paper) -> None:
        if merge_papers(paper, other):
            self.candidates.remove(other)
            for each in (self.papers, self.changed, self.provenance_changed):
                each.pop(id(other), None)
            self.merged_into[id(other)] = paper
            self.changed[id(paper)] = paper
            derive_fields(paper)

    def resolve_merged(self, paper: Paper) -> Paper:
        while id(paper) in self.merged_into:
            paper = self.merged_into[id(paper)]
        return paper

    def existing(self, papers: dict[int, Paper]) -> list[Paper]:
        """Those that were there before; what changed is not written a second time as retold."""
        return [
            paper
            for key, paper in papers.items()
            if paper.pk and (papers is not self.provenance_changed or key not in self.changed)
        ]


def apply_record(paper: Paper, record: NormalisedRecord, *, source: str) -> bool:
    """Put what is told into a paper; whether that changed it."""
    news = record.fields | ({"doi": record.doi} if record.doi else {})
    changed = merge_values(paper, news, source=source, reported_at=record.reported_at)
    if record.arxiv_id and not paper.arxiv_id:
        paper.arxiv_id, changed = record.arxiv_id, True
    return (
        derive_fields(paper, reported_on=datetime.fromtimestamp(record.reported_at, UTC).date())
        or changed
    )


def derive_fields(paper: Paper, *, reported_on: date | None = None) -> bool:
    """What follows from the rest; whether that is something new."""
    before = (paper.identity, paper.title_key, paper.sort_date)
    paper.title_key = identity.title_key(paper.title)
    paper.identity = (
        paper.arxiv_id
        or paper.doi
        # Stays: its page has that address.
        or paper.identity
        or identity.title_identity(paper.title, paper.authors)
    )
    if day := paper.listed_on or paper.published_on:
        paper.sort_date = day
    elif reported_on:
        paper.sort_date = min(paper.sort_date or reported_on, reported_on)
    return (paper.identity, paper.title_key, paper.sort_date) != before


def set_topics(papers: Sequence[Paper], topic_ids: dict[str, int]) -> set[int]:
    """Each paper's topics, as today's rules find them; the papers that this changed."""
    link = Paper.topics.through
    rows = link.objects.filter(paper__in=papers).values_list("paper_id", "topic_id", "pk")
    present = {(paper_id, topic_id): pk for paper_id, topic_id, pk in rows}
    wanted = {
        (paper.pk, topic_ids[slug])
        for paper in papers
        for slug in classifier.topic_slugs(
            paper.title, paper.abstract, paper.categories, paper.keywords
        )
    }
    if gone := {pair: pk for pair, pk in present.items() if pair not in wanted}:
        link.objects.filter(pk__in=gone.values()).delete()
    missing = sorted(wanted - present.keys())
    link.objects.bulk_create(
        [link(paper_id=paper_id, topic_id=topic_id) for paper_id, topic_id in missing],
        ignore_conflicts=True,
    )
    return {paper_id for paper_id, _ in [*gone, *missing]}


def split_into_batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), UPSERT_BATCH_SIZE):
        yield items[start : start + UPSERT_BATCH_SIZE]
