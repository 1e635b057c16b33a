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

from papers.sources import Answer, Known, MalformedAnswer, Record, Wanted
from papers.sources.http import Client, Refused
from papers.sources.json_values import (
    Rejected,
    Unknown,
    answer_of,
    check_error,
    count,
    day_of,
    identified,
    json_value,
    kind_of,
    numbers,
    text,
    texts,
)

BAD_REQUEST = 400
# More is an error.
BATCH = 500
FIELDS = "externalIds,citationCount,influentialCitationCount,tldr,publicationDate"
UNKNOWN = "unknown to Semantic Scholar"
# Where its several answers keep their papers, and the paper in each item.
LISTS = ("data", "recommendedPapers")
WRAPPERS = ("citingPaper", "citedPaper", "paper")


class SemanticScholar:
    name = "semanticscholar"
    title = "Semantic Scholar"
    # A key allows one question a second.
    turns = ("semanticscholar", timedelta(seconds=1))

    def __init__(self, client: Client) -> None:
        self.client = client

    @staticmethod
    def credentials(key: str) -> dict[str, Any]:
        """How the operator's key goes with every question."""
        return {"headers": {"x-api-key": key}}

    def fetch(self, wanted: Wanted) -> Iterator[Answer]:
        """What it knows of the papers, one answer for each batch."""
        ids = [number for paper in wanted.papers if (number := number_of(paper))]
        for start in range(0, len(ids), BATCH):
            yield self.fetch_batch(ids[start : start + BATCH])

    def fetch_batch(self, ids: Sequence[str]) -> Answer:
        try:
            body = self.client.post("graph/v1/paper/batch", json={"ids": ids}, fields=FIELDS)
        except Refused as refused:
            if refused.status == BAD_REQUEST and re.search("no valid paper id", refused.told, re.I):
                return Answer(rejected=(UNKNOWN,) * len(ids))
            raise
        return self.parse(body)

    def parse(self, body: bytes, *, day: date | None = None) -> Answer:
        return answer_of(items_of(body), read, self.title)


def number_of(paper: Known) -> str:
    """The name that it knows the paper by."""
    if paper.arxiv_id:
        return f"ARXIV:{paper.arxiv_id}"
    return f"DOI:{paper.doi}" if paper.doi else ""


def items_of(body: bytes) -> list[Any]:
    value = json_value(body)
    check_error(value, SemanticScholar.title)
    if isinstance(value, dict):
        found = next((value[name] for name in LISTS if isinstance(value.get(name), list)), None)
        if found is not None:
            return found
        if "paperId" in value:
            return [value]
        if value.get("total") == 0:
            return []
    if not isinstance(value, list):
        raise MalformedAnswer(f"The answer is {kind_of(value)}, not a list of papers.")
    return value


def read(item: Any) -> Record:
    """One item as a record; raises Rejected."""
    if item is None:
        raise Unknown(UNKNOWN)
    paper = unwrapped(item)
    if not isinstance(paper, dict):
        raise Rejected("no paper")
    ids = paper.get("externalIds")
    ids = ids if isinstance(ids, dict) else {}
    tldr = paper.get("tldr")
    return identified(
        Record(
            **numbers(text(ids.get("ArXiv")), text(ids.get("DOI"))),
            title=text(paper.get("title")),
            abstract=text(paper.get("abstract")),
            authors=authors(paper.get("authors")),
            published_on=day_of(paper.get("publicationDate")),
            machine_summary=text(tldr.get("text")) if isinstance(tldr, dict) else "",
            citations=count(paper.get("citationCount")),
            influential_citations=count(paper.get("influentialCitationCount")),
        )
    )


def unwrapped(item: Any) -> Any:
    """The paper in an item of a list of citations, references or snippets."""
    if not isinstance(item, dict) or "paperId" in item:
        return item
    return next((item[name] for name in WRAPPERS if name in item), item)


def authors(values: Any) -> tuple[str, ...]:
    shown = values if isinstance(values, list) else []
    return texts([each.get("name") if isinstance(each, dict) else each for each in shown])
