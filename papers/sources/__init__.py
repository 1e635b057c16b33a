"""Where papers come from: every source turns its answers into the same records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from papers.sources.http import SourceClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One paper as a source tells of it, in the source's own words.

    What it does not say is None or empty. It is told apart by its arXiv id, else by its DOI, else by
    its title and first author; without a title it adds to a paper that is known already.
    """

    arxiv_id: str = ""
    doi: str = ""
    title: str = ""
    # The day its first version was published.
    published_on: date | None = None
    # The day the source put it before its readers; None for a source that lists everything.
    listed_on: date | None = None
    abstract: str = ""
    authors: tuple[str, ...] = ()
    # A machine's summary, never the authors'.
    machine_summary: str = ""
    organization: str = ""
    # arXiv's, the primary one first.
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    code_url: str = ""
    project_url: str = ""
    # By its authors, or retracted by its publisher.
    withdrawn: bool | None = None
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    # Semantic Scholar's counts, and OpenAlex's.
    citations: int | None = None
    influential_citations: int | None = None
    cited_by: int | None = None
    # When the source last changed it, if it says so: of two tellings the later one counts.
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResponse:
    """What one answer of a source held: its papers, and a reason for each item that is none."""

    records: tuple[Record, ...] = ()
    rejected: tuple[str, ...] = ()
    # Where to go on after this answer, in the source's own words; empty when there is no more.
    cursor: str = ""

    @property
    def latest_listing_date(self) -> date | None:
        """The latest day that its papers were listed on."""
        days = (record.listed_on for record in self.records)
        return max((day for day in days if day), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPaper:
    """A paper that is stored already, by what sources may know it by."""

    arxiv_id: str = ""
    doi: str = ""
    code_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """What is asked for; each source takes of it what it can answer."""

    # The newest first.
    days: tuple[date, ...] = ()
    # Papers to learn more about, the most important first.
    papers: tuple[KnownPaper, ...] = ()
    # arXiv's categories to look into.
    categories: tuple[str, ...] = ()
    # Words to search for, when papers of the past are filled in.
    query: str = ""
    # Where the last fetch of this source stopped (Answer.cursor), or empty.
    cursor: str = ""


class SourceUnavailableError(Exception):
    """The source could not be reached or answered with an error; one sentence says which."""


class InvalidResponseError(ValueError):
    """Bytes that are not an answer of this source; one sentence says why."""


class Source(Protocol):
    """A family of files that look alike: see docs/adding-a-source.md.

    One that wants time between any two questions, whoever of us asks, says so beside its name:
    `turns = ("arxiv", timedelta(seconds=3))`, where sources with one name wait for each other too.
    """

    # For people and for `fetch_papers --source`.
    title: str
    name: str

    def __init__(self, client: SourceClient) -> None: ...

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """Ask, and yield each answer as it comes; raises SourceUnavailable, MalformedAnswer.

        What was yielded before a failure is kept.
        """
        ...

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        """Read a saved answer; `day` is its day if it does not say itself."""
        ...
