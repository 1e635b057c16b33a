"""Which stored paper is told of: the papers that a batch of records may mean, locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from papers import identity
from papers.models import Paper
from papers.sources import Record
from papers.text.authors import author_key

# Where an author is not named, a title of fewer words ("Editorial") is no proof.
MIN_TITLE_WORDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalisedRecord:
    """A record with what it tells of its paper's identity, and as of when (seconds since 1970)."""

    record: Record
    fields: dict[str, Any]
    arxiv_id: str
    doi: str
    reported_at: int

    @property
    def title_key(self) -> str:
        return identity.title_key(self.fields["title"]) if "title" in self.fields else ""

    def matches(self, paper: Paper) -> bool:
        """By the same number; or, if no number says otherwise, by title and first author."""
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
    if not authors or not other_authors:
        return (
            not (authors or other_authors)
            or len(identity.fold_title(title).split()) >= MIN_TITLE_WORDS
        )
    return author_key(authors[0]) == author_key(other_authors[0])


class CandidatePapers:
    """The papers at hand, by each way to tell them."""

    def __init__(self, records: Sequence[NormalisedRecord]) -> None:
        self.papers_by_key: defaultdict[str, list[Paper]] = defaultdict(list)
        for paper in lock_candidates(records):
            self.add(paper)

    def add(self, paper: Paper) -> None:
        for key in lookup_keys(paper.arxiv_id, paper.doi, paper.title_key):
            if paper not in self.papers_by_key[key]:
                self.papers_by_key[key].append(paper)

    def remove(self, paper: Paper) -> None:
        for papers in self.papers_by_key.values():
            if paper in papers:
                papers.remove(paper)

    def match(self, record: NormalisedRecord) -> list[Paper]:
        """The papers that it is about; more than one if it is the first to know that they are one.

        A number tells better than a title does, so who shares it comes first.
        """
        found: list[Paper] = []
        for key in lookup_keys(record.arxiv_id, record.doi, record.title_key):
            agree = first_author_consistent if key == record.title_key else identifiers_consistent
            for paper in self.papers_by_key.get(key, ()):
                if paper not in found and record.matches(paper) and agree([*found, paper]):
                    found.append(paper)
        return found


def identifiers_consistent(papers: Sequence[Paper]) -> bool:
    numbers = ({paper.arxiv_id for paper in papers}, {paper.doi for paper in papers})
    return all(len(each - {""}) <= 1 for each in numbers)


def first_author_consistent(papers: Sequence[Paper]) -> bool:
    """A title that names no author proves nothing of papers whose first authors differ."""
    authors = {author_key(paper.authors[0]) for paper in papers if paper.authors}
    return len(authors) <= 1 and identifiers_consistent(papers)


def lookup_keys(arxiv_id: str, doi: str, title_key: str) -> Iterator[str]:
    """In the order of what they prove. No arXiv id is like a DOI, nor a DOI like a title's key."""
    yield from filter(None, (arxiv_id, doi, title_key))


def lock_candidates(records: Iterable[NormalisedRecord]) -> list[Paper]:
    arxiv_ids = {each.arxiv_id for each in records} - {""}
    dois = {each.doi for each in records} - {""}
    titles = {each.title_key for each in records} - {""}
    meant = Q(arxiv_id__in=arxiv_ids) | Q(doi__in=dois) | Q(title_key__in=titles)
    # Always in the order of their identities: then two intakes at once wait for each other, not
    # both.
    return list(Paper.objects.filter(meant).order_by("identity").select_for_update(no_key=True))
