"""Apply a batch of records to papers in memory: update, add and merge them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from papers import identity
from papers.catalogue.changes import ChangeStatus, PaperChange
from papers.catalogue.lookup import CandidatePapers, NormalisedRecord, lock_candidates
from papers.catalogue.merging import merge_papers, merge_values
from papers.models import Paper
from papers.sources import Record


class UpsertBatch:
    """The changes that a batch of records makes to papers, in memory until they are stored."""

    def __init__(self, records: Sequence[NormalisedRecord], *, source: str) -> None:
        """Lock the papers that the records may match, and apply the records to them."""
        self.source = source
        self.changes = [
            PaperChange(paper, ChangeStatus.UNMATCHED) for paper in lock_candidates(records)
        ]
        self.candidates = CandidatePapers(self.changes)
        self.matched: list[tuple[NormalisedRecord, PaperChange]] = []
        self.unmatched_count = 0
        for record in records:
            self.apply(record)

    def apply(self, record: NormalisedRecord) -> None:
        """Apply a record to its paper, which is new if none matches and the record has a title."""
        matches = self.candidates.match(record)
        if matches:
            change = self.merge(matches)
        elif "title" in record.fields:
            change = PaperChange(Paper(), ChangeStatus.NEW)
            self.changes.append(change)
        else:
            self.unmatched_count += 1
            return
        change.raise_to(apply_record(change.paper, record, source=self.source))
        self.candidates.add(change)
        self.matched.append((record, change))

    def merge(self, matches: Sequence[PaperChange]) -> PaperChange:
        """Merge the matches into the best-known of them, and return it.

        That is a stored paper before a new one, one with an arXiv id before others, then the
        oldest.
        """
        survivor, *others = sorted(
            matches,
            key=lambda match: (match.paper.pk is None, not match.paper.arxiv_id, match.paper.pk),
        )
        for other in others:
            if merge_papers(survivor.paper, other.paper):
                self.candidates.remove(other)
                other.merge_into(survivor)
                derive_fields(survivor.paper)
        return survivor

    def papers(self, status: ChangeStatus) -> list[Paper]:
        return [change.paper for change in self.changes if change.status == status]

    def resolve(
        self, stored: Sequence[Paper]
    ) -> tuple[list[tuple[Record, int]], list[NormalisedRecord]]:
        """Return each record with its stored paper's id, and the records that have none."""
        paper_ids = {paper.identity: paper.pk for paper in stored}
        resolved: list[tuple[Record, int]] = []
        lost: list[NormalisedRecord] = []
        for record, change in self.matched:
            if paper_id := paper_ids.get(change.survivor().paper.identity):
                resolved.append((record.record, paper_id))
            else:
                lost.append(record)
        return resolved, lost


def apply_record(paper: Paper, record: NormalisedRecord, *, source: str) -> ChangeStatus:
    """Merge a record's values into a paper in memory; return what that changed."""
    provenance = paper.field_sources
    incoming = record.fields | ({"doi": record.doi} if record.doi else {})
    changed = merge_values(paper, incoming, source=source, reported_at=record.reported_at)
    if record.arxiv_id and not paper.arxiv_id:
        paper.arxiv_id, changed = record.arxiv_id, True
    reported_on = datetime.fromtimestamp(record.reported_at, UTC).date()
    if derive_fields(paper, reported_on=reported_on) or changed:
        return ChangeStatus.CHANGED
    if paper.field_sources != provenance:
        return ChangeStatus.PROVENANCE_ONLY
    return ChangeStatus.UNCHANGED


def derive_fields(paper: Paper, *, reported_on: date | None = None) -> bool:
    """Set the fields that follow from the others; return whether any changed."""
    before = (paper.identity, paper.title_key, paper.sort_date)
    paper.title_key = identity.title_key(paper.title)
    paper.identity = (
        paper.arxiv_id
        or paper.doi
        # Keep a title identity when the title changes: it is in the paper's URL.
        or paper.identity
        or identity.title_identity(paper.title, paper.authors)
    )
    if day := paper.listed_on or paper.published_on:
        paper.sort_date = day
    elif reported_on:
        paper.sort_date = min(paper.sort_date or reported_on, reported_on)
    return (paper.identity, paper.title_key, paper.sort_date) != before
