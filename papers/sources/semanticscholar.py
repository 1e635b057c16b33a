"""Semantic Scholar: how often a paper is cited, and a machine's summary of it.

Papers are looked up in batches, by arXiv id or DOI. Observed, contrary to or missing from the
documentation:

- The response has the order of the request, with null for an unknown paper. But another paper has
  been seen in the place of the requested one: only a paper's own `externalIds` identify it.
- When every paper of a batch is unknown, the response is 400, "No valid paper ids given".
- arXiv papers often have the DOI that arXiv assigns beside the id, or only that DOI.
- A count of zero is sent as 0; every other field may be null. With a `publicationDate` of null
  there is a `year`, which is not used.
- Errors are `{"error": …}`, and from the gateway `{"message": …}`. All callers without a key share
  one quota, and 429 is common, with or without `Retry-After`.

Saved responses of its other endpoints (search, recommendations, citations) are parsed too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from papers.sources import FetchRequest, InvalidResponseError, KnownPaper, Record, SourceResponse
from papers.sources.http import HttpError, SourceClient
from papers.sources.json_values import (
    NotFoundAtSourceError,
    RejectedItemError,
    as_text,
    as_texts,
    describe_json,
    paper_ids,
    parse_count,
    parse_date,
    parse_items,
    parse_json,
    raise_for_error,
    require_identity,
)

BAD_REQUEST = 400
# The endpoint's limit.
PAPER_BATCH_SIZE = 500
PAPER_FIELDS = "externalIds,citationCount,influentialCitationCount,tldr,publicationDate"
NOT_FOUND_REASON = "unknown to Semantic Scholar"
# Where the various endpoints put their list, and the paper in an item of it.
LIST_KEYS = ("data", "recommendedPapers")
WRAPPER_KEYS = ("citingPaper", "citedPaper", "paper")


class SemanticScholar:
    name = "semanticscholar"
    title = "Semantic Scholar"
    # A key allows one call a second.
    pacing = ("semanticscholar", timedelta(seconds=1))

    def __init__(self, client: SourceClient) -> None:
        self.client = client

    @staticmethod
    def credentials(key: str) -> dict[str, Any]:
        """Return the client's arguments for the operator's key."""
        return {"headers": {"x-api-key": key}}

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """Yield what Semantic Scholar has about the papers, one response per batch."""
        ids = [paper_id for paper in request.papers if (paper_id := s2_paper_id(paper))]
        for start in range(0, len(ids), PAPER_BATCH_SIZE):
            yield self.fetch_batch(ids[start : start + PAPER_BATCH_SIZE])

    def fetch_batch(self, ids: Sequence[str]) -> SourceResponse:
        try:
            body = self.client.post("graph/v1/paper/batch", json={"ids": ids}, fields=PAPER_FIELDS)
        except HttpError as error:
            if error.status == BAD_REQUEST and "no valid paper id" in error.body_start.lower():
                return SourceResponse(rejected=(NOT_FOUND_REASON,) * len(ids))
            raise
        return self.parse(body)

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        return parse_items(extract_items(body), parse_paper, self.title)


def s2_paper_id(paper: KnownPaper) -> str:
    """Return the id to look up the paper by, or ""."""
    if paper.arxiv_id:
        return f"ARXIV:{paper.arxiv_id}"
    return f"DOI:{paper.doi}" if paper.doi else ""


def extract_items(body: bytes) -> list[Any]:
    """Return the items of a response of any endpoint; raise InvalidResponseError."""
    value = parse_json(body)
    raise_for_error(value, SemanticScholar.title)
    if isinstance(value, dict):
        for key in LIST_KEYS:
            if isinstance(items := value.get(key), list):
                return items
        if "paperId" in value:
            return [value]
        if value.get("total") == 0:
            return []
    if not isinstance(value, list):
        raise InvalidResponseError(f"The answer is {describe_json(value)}, not a list of papers.")
    return value


def parse_paper(item: Any) -> Record:
    """Return the record of an item; raise RejectedItemError."""
    if item is None:
        raise NotFoundAtSourceError(NOT_FOUND_REASON)
    paper = unwrap_paper(item)
    if not isinstance(paper, dict):
        raise RejectedItemError("not a paper")
    ids = paper.get("externalIds")
    ids = ids if isinstance(ids, dict) else {}
    tldr = paper.get("tldr")
    return require_identity(
        Record(
            **paper_ids(as_text(ids.get("ArXiv")), as_text(ids.get("DOI"))),
            title=as_text(paper.get("title")),
            abstract=as_text(paper.get("abstract")),
            authors=parse_authors(paper.get("authors")),
            published_on=parse_date(paper.get("publicationDate")),
            machine_summary=as_text(tldr.get("text")) if isinstance(tldr, dict) else "",
            citations=parse_count(paper.get("citationCount")),
            influential_citations=parse_count(paper.get("influentialCitationCount")),
        )
    )


def unwrap_paper(item: Any) -> Any:
    """Return the paper in an item of a list of citations, references or snippets; else the item."""
    if not isinstance(item, dict) or "paperId" in item:
        return item
    return next((item[name] for name in WRAPPER_KEYS if name in item), item)


def parse_authors(values: Any) -> tuple[str, ...]:
    authors = values if isinstance(values, list) else []
    return as_texts(
        [author.get("name") if isinstance(author, dict) else author for author in authors]
    )
