"""The sources of papers. Each one turns its responses into the same records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from papers.sources.errors import InvalidResponseError, SourceUnavailableError

if TYPE_CHECKING:
    from papers.sources.http import SourceClient

__all__ = [
    "FetchRequest",
    "InvalidResponseError",
    "KnownPaper",
    "Record",
    "Source",
    "SourceResponse",
    "SourceUnavailableError",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One paper as a source describes it, with the texts as the source wrote them.

    What the source does not state is None or empty. A record is matched to a stored paper by its
    arXiv id, else by its DOI, else by its title and first author. A record without a title only
    updates a paper that is stored already.
    """

    arxiv_id: str = ""
    doi: str = ""
    title: str = ""
    # The day that the first version was published.
    published_on: date | None = None
    # The day that the source recommended it; None for a source that lists everything.
    listed_on: date | None = None
    abstract: str = ""
    authors: tuple[str, ...] = ()
    # Written by a machine, never by the authors.
    machine_summary: str = ""
    organization: str = ""
    # arXiv categories, the primary one first.
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    code_url: str = ""
    project_url: str = ""
    # By its authors, or retracted by its publisher.
    withdrawn: bool | None = None
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    # Counted by Semantic Scholar.
    citations: int | None = None
    influential_citations: int | None = None
    # Counted by OpenAlex.
    cited_by: int | None = None
    # When the source last changed the record, if it states that: the latest record takes
    # precedence.
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResponse:
    """The content of one response: its records, and a reason for each item that is not a paper."""

    records: tuple[Record, ...] = ()
    rejected: tuple[str, ...] = ()
    # Where to resume after this response, in the source's own format; empty at the end.
    cursor: str = ""

    @property
    def latest_listing_date(self) -> date | None:
        """Return the latest day on which one of the papers was listed."""
        days = (record.listed_on for record in self.records)
        return max((day for day in days if day), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPaper:
    """A stored paper, by the identifiers that sources may have for it."""

    arxiv_id: str = ""
    doi: str = ""
    code_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """What to fetch. A source uses the fields that it can answer and ignores the others."""

    # Newest first.
    days: tuple[date, ...] = ()
    # Papers to look up, the most important first.
    papers: tuple[KnownPaper, ...] = ()
    # arXiv categories to list.
    categories: tuple[str, ...] = ()
    # A search query, to backfill papers of the past.
    query: str = ""
    # Where the last fetch of this source stopped (SourceResponse.cursor), or empty.
    cursor: str = ""


class Source(Protocol):
    """A source of papers: see docs/developers/adding-a-source.md.

    A source that must not be called too often has a third class attribute, the name of its call
    slots and the minimum interval between two calls of all workers: `pacing = ("arxiv",
    timedelta(seconds=3))`. Sources that give the same name share the slots.
    """

    # For people.
    title: str
    # For settings, log lines and `fetch_papers --source`.
    name: str

    def __init__(self, client: SourceClient) -> None: ...

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """Call the source, and yield each response as soon as it is parsed.

        Raise SourceUnavailableError or InvalidResponseError. The caller keeps what was yielded
        before that.
        """
        ...

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        """Parse a saved response; `day` is its day where the response itself does not state one."""
        ...
