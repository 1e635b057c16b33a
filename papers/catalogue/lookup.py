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
FEWEST_WORDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A record with what it tells of its paper's identity, and as of when (seconds since 1970)."""

    record: Record
    fields: dict[str, Any]
    arxiv_id: str
    doi: str
    at: int

    @property
    def title_key(self) -> str:
        return identity.title_key(self.fields["title"]) if "title" in self.fields else ""

    def is_about(self, paper: Paper) -> bool:
        """By the same number; or, if no number says otherwise, by title and first author."""
        if self.arxiv_id and paper.arxiv_id:
            return self.arxiv_id == paper.arxiv_id
        if self.doi and paper.doi:
            return self.doi == paper.doi
        return (
            self.title_key == paper.title_key
            and self.title_key != ""
            and authors_agree(self.fields.get("authors", []), paper.authors, self.fields["title"])
        )


def authors_agree(ours: Sequence[str], theirs: Sequence[str], title: str) -> bool:
    if not ours or not theirs:
        return not (ours or theirs) or len(identity.folded(title).split()) >= FEWEST_WORDS
    return author_key(ours[0]) == author_key(theirs[0])


class Shelf:
    """The papers at hand, by each way to tell them."""

    def __init__(self, tellings: Sequence[Telling]) -> None:
        self.by_key: defaultdict[str, list[Paper]] = defaultdict(list)
        for paper in locked(tellings):
            self.put(paper)

    def put(self, paper: Paper) -> None:
        for key in keys(paper.arxiv_id, paper.doi, paper.title_key):
            if paper not in self.by_key[key]:
                self.by_key[key].append(paper)

    def drop(self, paper: Paper) -> None:
        for papers in self.by_key.values():
            if paper in papers:
                papers.remove(paper)

    def find(self, telling: Telling) -> list[Paper]:
        """The papers that it is about; more than one if it is the first to know that they are one.

        A number tells better than a title does, so who shares it comes first.
        """
        found: list[Paper] = []
        for key in keys(telling.arxiv_id, telling.doi, telling.title_key):
            agree = have_one_author if key == telling.title_key else have_no_other_number
            for paper in self.by_key.get(key, ()):
                if paper not in found and telling.is_about(paper) and agree([*found, paper]):
                    found.append(paper)
        return found


def have_no_other_number(papers: Sequence[Paper]) -> bool:
    numbers = ({paper.arxiv_id for paper in papers}, {paper.doi for paper in papers})
    return all(len(each - {""}) <= 1 for each in numbers)


def have_one_author(papers: Sequence[Paper]) -> bool:
    """A title that names no author proves nothing of papers whose first authors differ."""
    authors = {author_key(paper.authors[0]) for paper in papers if paper.authors}
    return len(authors) <= 1 and have_no_other_number(papers)


def keys(arxiv_id: str, doi: str, title_key: str) -> Iterator[str]:
    """In the order of what they prove. No arXiv id is like a DOI, nor a DOI like a title's key."""
    yield from filter(None, (arxiv_id, doi, title_key))


def locked(tellings: Iterable[Telling]) -> list[Paper]:
    arxiv_ids = {each.arxiv_id for each in tellings} - {""}
    dois = {each.doi for each in tellings} - {""}
    titles = {each.title_key for each in tellings} - {""}
    meant = Q(arxiv_id__in=arxiv_ids) | Q(doi__in=dois) | Q(title_key__in=titles)
    # Always in the order of their identities: then two intakes at once wait for each other, not
    # both.
    return list(Paper.objects.filter(meant).order_by("identity").select_for_update(no_key=True))
