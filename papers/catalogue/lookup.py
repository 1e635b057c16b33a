"""Find and lock the stored papers that a batch of records refers to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from papers import identity
from papers.catalogue.changes import PaperChange
from papers.models import Paper
from papers.sources import Record
from papers.text.authors import author_key

# If no author is named, a shorter title ("Editorial") does not identify a paper.
MIN_TITLE_WORDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisedRecord:
    """A record with its cleaned fields, its identifiers and its time (seconds since 1970)."""

    record: Record
    fields: dict[str, Any]
    arxiv_id: str
    doi: str
    reported_at: int

    @property
    def title_key(self) -> str:
        return identity.title_key(self.fields["title"]) if "title" in self.fields else ""

    def matches(self, paper: Paper) -> bool:
        """Compare by arXiv id, else by DOI, else by title and first author.

        An identifier that both sides have decides alone, so a different one is never overruled
        by an equal title.
        """
        if self.arxiv_id and paper.arxiv_id:
            return self.arxiv_id == paper.arxiv_id
        if self.doi and paper.doi:
            return self.doi == paper.doi
        return (
            self.title_key == paper.title_key
            and self.title_key != ""
            and first_authors_match(
                self.fields.get("authors", []), paper.authors, self.fields["title"]
            )
        )


def first_authors_match(authors: Sequence[str], other_authors: Sequence[str], title: str) -> bool:
    """Compare the first authors of two papers with an equal title.

    If one paper names no author, a long enough title is sufficient. If neither does, any title is.
    """
    if authors and other_authors:
        return author_key(authors[0]) == author_key(other_authors[0])
    neither_has_authors = not (authors or other_authors)
    return neither_has_authors or len(identity.fold_title(title).split()) >= MIN_TITLE_WORDS


class CandidatePapers:
    """The stored papers that a batch of records may match, and the new ones it adds, by key."""

    def __init__(self, changes: Iterable[PaperChange]) -> None:
        self.changes_by_key: defaultdict[str, list[PaperChange]] = defaultdict(list)
        for change in changes:
            self.add(change)

    def add(self, change: PaperChange) -> None:
        """Add a paper, or add it again under the identifiers that it has by now."""
        paper = change.paper
        for key in lookup_keys(paper.arxiv_id, paper.doi, paper.title_key):
            if change not in self.changes_by_key[key]:
                self.changes_by_key[key].append(change)

    def remove(self, change: PaperChange) -> None:
        for changes in self.changes_by_key.values():
            if change in changes:
                changes.remove(change)

    def match(self, record: NormalisedRecord) -> list[PaperChange]:
        """Return the papers that the record is about.

        There is more than one if the record is the first to connect them: they are one paper.
        Identifiers are looked up before the title because they are the stronger evidence.
        """
        matches: list[PaperChange] = []
        for key in lookup_keys(record.arxiv_id, record.doi, record.title_key):
            is_consistent = (
                first_author_consistent if key == record.title_key else identifiers_consistent
            )
            for change in self.changes_by_key.get(key, ()):
                papers = [match.paper for match in matches]
                if (
                    change not in matches
                    and record.matches(change.paper)
                    and is_consistent([*papers, change.paper])
                ):
                    matches.append(change)
        return matches


def identifiers_consistent(papers: Sequence[Paper]) -> bool:
    """Return whether the papers can be one: no two arXiv ids, and no two DOIs."""
    arxiv_ids = {paper.arxiv_id for paper in papers} - {""}
    dois = {paper.doi for paper in papers} - {""}
    return len(arxiv_ids) <= 1 and len(dois) <= 1


def first_author_consistent(papers: Sequence[Paper]) -> bool:
    """Return whether the papers can be one: no two first authors, nor two identifiers of one kind.

    A record without authors must not merge two papers of the same title by different people.
    """
    authors = {author_key(paper.authors[0]) for paper in papers if paper.authors}
    return len(authors) <= 1 and identifiers_consistent(papers)


def lookup_keys(arxiv_id: str, doi: str, title_key: str) -> Iterator[str]:
    """Yield the keys that are not empty, the strongest evidence first.

    One dictionary can hold all three kinds: no arXiv id looks like a DOI, and neither looks like
    a title key.
    """
    yield from filter(None, (arxiv_id, doi, title_key))


def lock_candidates(records: Iterable[NormalisedRecord]) -> list[Paper]:
    """Lock and return the stored papers with an identifier or title key of the records."""
    arxiv_ids = {record.arxiv_id for record in records} - {""}
    dois = {record.doi for record in records} - {""}
    title_keys = {record.title_key for record in records} - {""}
    is_candidate = Q(arxiv_id__in=arxiv_ids) | Q(doi__in=dois) | Q(title_key__in=title_keys)
    # Always lock in the order of identities: in different orders, two imports would deadlock.
    return list(
        Paper.objects.filter(is_candidate).order_by("identity").select_for_update(no_key=True)
    )
