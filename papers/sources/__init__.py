"""Where papers come from: every source turns its answers into the same records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One paper as a source tells of it, in the source's own words; what it does not say is None."""

    arxiv_id: str
    title: str
    published_on: date
    # The day the source put it before its readers.
    listed_on: date
    abstract: str = ""
    authors: tuple[str, ...] = ()
    # A machine's summary, never the authors'.
    machine_summary: str = ""
    organization: str = ""
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    code_url: str = ""
    project_url: str = ""
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one answer of a source held: its papers, and a reason for each item that is none."""

    records: tuple[Record, ...] = ()
    rejected: tuple[str, ...] = ()

    @property
    def last_day(self) -> date | None:
        """The latest day that its papers were listed on."""
        return max((record.listed_on for record in self.records), default=None)


class SourceUnavailable(Exception):
    """The source could not be reached or answered with an error; one sentence says which."""


class MalformedAnswer(ValueError):
    """Bytes that are not an answer of this source; one sentence says why."""


class Source(Protocol):
    """A family of files that look alike: see docs/adding-a-source.md."""

    # For people and for `fetch_papers --source`.
    title: str
    name: str

    def fetch(self, days: Sequence[date]) -> Iterator[Answer]:
        """Ask for the days' papers, one answer a day; raises SourceUnavailable, MalformedAnswer."""
        ...

    def parse(self, body: bytes, *, day: date | None = None) -> Answer:
        """Read a saved answer; `day` is its day if it does not say itself."""
        ...


ARXIV_ID = re.compile(
    r"""
    (?: (?:https?://)? (?:www\.|export\.)? (?:arxiv\.org|huggingface\.co) /(?:abs|pdf|html|papers)/
      | arxiv: | oai:arxiv\.org: | (?:https?://(?:dx\.)?doi\.org/)? 10\.48550/arxiv\. )?
    (?: (?P<new> [0-9]{2}(?:0[1-9]|1[0-2]) \. [0-9]{4,5} )
      | (?P<archive> [a-z]{2,10}(?:-[a-z]{2,4})? ) (?:\.[a-z]{2})? / (?P<number> [0-9]{7} ) )
    (?:v[0-9]+)? (?:\.pdf)? /? (?:[?#].*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)


def arxiv_id(text: str) -> str | None:
    """The arXiv id in an id, an address or a DOI, without its version; None if it is none.

    2605.01234v2, arXiv:2605.01234, https://arxiv.org/pdf/2605.01234v1, 10.48550/arXiv.2605.01234,
    and of the years before 2007 math.GT/0309136, which is also math/0309136.
    """
    found = ARXIV_ID.fullmatch(text.strip())
    if found is None:
        return None
    return found["new"] or f"{found['archive'].lower()}/{found['number']}"
