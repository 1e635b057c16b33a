"""Semantic Scholar: how often a paper is cited, and what its machine says it is about.

Papers are asked for in batches, by arXiv id or DOI. Against or beyond the documentation:

- The answer has the order of the question and null for a paper that is not known, but has been
  seen with another paper in one's place: what a paper is, only its own `externalIds` say.
- When no paper of a batch is known the answer is 400, "No valid paper ids given".
- arXiv's papers often have arXiv's own DOI beside the id, or only that.
- A count of nought is told; every other field may be null. A `publicationDate` of null goes with a
  `year`, which is no day.
- Errors are `{"error": …}`, and from the gateway `{"message": …}`. Without a key everybody shares
  one allowance, and 429 is common, with or without `Retry-After`.

Saved answers of its other questions (search, recommendations, citations) are read too.
"""

from __future__ import annotations

import re
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
# More is an error.
PAPER_BATCH_SIZE = 500
PAPER_FIELDS = "externalIds,citationCount,influentialCitationCount,tldr,publicationDate"
NOT_FOUND_REASON = "unknown to Semantic Scholar"
# Where its several answers keep their papers, and the paper in each item.
LIST_KEYS = ("data", "recommendedPapers")
WRAPPER_KEYS = ("citingPaper", "citedPaper", "paper")


class SemanticScholar:
    name = "semanticscholar"
    title = "Semantic Scholar"
    # A key allows one question a second.
    pacing = ("semanticscholar", timedelta(seconds=1))

    def __init__(self, client: SourceClient) -> None:
        self.client = client

    @staticmethod
    def credentials(key: str) -> dict[str, Any]:
        """How the operator's key goes with every question."""
        return {"headers": {"x-api-key": key}}

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """What it knows of the papers, one answer for each batch."""
        ids = [number for paper in request.papers if (number := s2_paper_id(paper))]
        for start in range(0, len(ids), PAPER_BATCH_SIZE):
            yield self.fetch_batch(ids[start : start + PAPER_BATCH_SIZE])

    def fetch_batch(self, ids: Sequence[str]) -> SourceResponse:
        try:
            body = self.client.post("graph/v1/paper/batch", json={"ids": ids}, fields=PAPER_FIELDS)
        except HttpError as refused:
            if refused.status == BAD_REQUEST and re.search(
                "no valid paper id", refused.body_start, re.I
            ):
                return SourceResponse(rejected=(NOT_FOUND_REASON,) * len(ids))
            raise
        return self.parse(body)

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        return parse_items(extract_items(body), parse_paper, self.title)


def s2_paper_id(paper: KnownPaper) -> str:
    """The name that it knows the paper by."""
    if paper.arxiv_id:
        return f"ARXIV:{paper.arxiv_id}"
    return f"DOI:{paper.doi}" if paper.doi else ""


def extract_items(body: bytes) -> list[Any]:
    value = parse_json(body)
    raise_for_error(value, SemanticScholar.title)
    if isinstance(value, dict):
        found = next((value[name] for name in LIST_KEYS if isinstance(value.get(name), list)), None)
        if found is not None:
            return found
        if "paperId" in value:
            return [value]
        if value.get("total") == 0:
            return []
    if not isinstance(value, list):
        raise InvalidResponseError(f"The answer is {describe_json(value)}, not a list of papers.")
    return value


def parse_paper(item: Any) -> Record:
    """One item as a record; raises Rejected."""
    if item is None:
        raise NotFoundAtSourceError(NOT_FOUND_REASON)
    paper = unwrap_paper(item)
    if not isinstance(paper, dict):
        raise RejectedItemError("no paper")
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
    """The paper in an item of a list of citations, references or snippets."""
    if not isinstance(item, dict) or "paperId" in item:
        return item
    return next((item[name] for name in WRAPPER_KEYS if name in item), item)


def parse_authors(values: Any) -> tuple[str, ...]:
    shown = values if isinstance(values, list) else []
    return as_texts([each.get("name") if isinstance(each, dict) else each for each in shown])
