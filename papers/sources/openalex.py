"""OpenAlex: how often a work is cited, and whether it was retracted.

Works are asked for by DOI, many in one question; arXiv's papers by arXiv's own DOI. Against or
beyond the documentation:

- What is not known is left out without a word.
- A preprint and what came of it in a journal are one work, with the journal's DOI, or two: so both
  are asked for, and of two works of one paper the one that is cited more is taken.
- The arXiv id stands in the DOI or in the address of one of the locations, nowhere else.
- A `publication_date` of the first of January mostly means that only the year is known.
- The abstract is a table of words and places. Only the first hundred authors are told.
- `next_cursor` also follows the last works; a page that is not full is the last.
- A comma or bar in a DOI cannot be asked for.
- Errors are `{"error": …, "message": …}`, and from the gateway a web page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from papers import identity
from papers.sources import FetchRequest, InvalidResponseError, KnownPaper, Record, SourceResponse
from papers.sources.http import SourceClient
from papers.sources.json_values import (
    RejectedItemError,
    as_dicts,
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

ARXIV_DOI_PREFIX = "10.48550/arxiv."
# Papers in one question, which may hold a hundred DOIs: two for each. An address must not be long.
PAPER_BATCH_SIZE, MAX_DOI_CHARS = 50, 100
PAGE_SIZE = 100
# Ten times what the DOIs of a question can have; more means a server that does not page.
MAX_PAGES = 10
MAX_ABSTRACT_WORDS = 10_000
WORK_FIELDS = (
    "id,ids,doi,title,publication_date,cited_by_count,is_retracted,authorships,locations,"
    "abstract_inverted_index,updated_date"
)
NOT_FOUND_REASON = "unknown to OpenAlex"


class OpenAlex:
    name = "openalex"
    title = "OpenAlex"
    pacing = ("openalex", timedelta(seconds=0.2))

    def __init__(self, client: SourceClient) -> None:
        self.client = client

    @staticmethod
    def credentials(key: str) -> dict[str, Any]:
        """How the operator's key goes with every question."""
        return {"query": {"api_key": key}}

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """What it knows of the papers: answers for each batch, then what it does not know."""
        papers = [paper for paper in request.papers if candidate_dois(paper)]
        known: set[str] = set()
        for start in range(0, len(papers), PAPER_BATCH_SIZE):
            dois = sorted(
                {
                    doi
                    for paper in papers[start : start + PAPER_BATCH_SIZE]
                    for doi in candidate_dois(paper)
                }
            )
            for answer in self.fetch_batch(dois):
                known |= {doi for record in answer.records for doi in candidate_dois(record)}
                # A batch is asked for whole: there is nothing to resume.
                yield replace(answer, cursor="")
        if unknown := [paper for paper in papers if not known & candidate_dois(paper)]:
            yield SourceResponse(rejected=(NOT_FOUND_REASON,) * len(unknown))

    def fetch_batch(self, dois: Sequence[str]) -> Iterator[SourceResponse]:
        """The works with these DOIs, page by page."""
        cursor = "*"
        for _ in range(MAX_PAGES):
            body = self.client.get(
                "works",
                filter=f"doi:{'|'.join(dois)}",
                select=WORK_FIELDS,
                cursor=cursor,
                **{"per-page": PAGE_SIZE},
            )
            answer = self.parse(body)
            yield answer
            if len(answer.records) + len(answer.rejected) < PAGE_SIZE or not answer.cursor:
                return
            cursor = answer.cursor

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        items, cursor = extract_items_and_cursor(body)
        answer = parse_items(sorted(items, key=citation_sort_key), parse_work, self.title)
        return SourceResponse(records=answer.records, rejected=answer.rejected, cursor=cursor)


def candidate_dois(paper: KnownPaper | Record) -> set[str]:
    """The DOIs that a paper may have there."""
    arxiv = f"{ARXIV_DOI_PREFIX}{paper.arxiv_id}" if paper.arxiv_id else ""
    found = {doi.lower() for doi in (arxiv, paper.doi) if doi}
    return {doi for doi in found if len(doi) <= MAX_DOI_CHARS and not {",", "|"} & set(doi)}


def extract_items_and_cursor(body: bytes) -> tuple[list[Any], str]:
    """The works of an answer, and where the next page begins."""
    value = parse_json(body)
    raise_for_error(value, OpenAlex.title)
    if isinstance(value, dict) and isinstance(value.get("results"), list):
        meta = value.get("meta")
        return value["results"], as_text(meta.get("next_cursor")) if isinstance(meta, dict) else ""
    if isinstance(value, dict) and "doi" in value:
        return [value], ""
    if not isinstance(value, list):
        raise InvalidResponseError(f"The answer is {describe_json(value)}, not a list of works.")
    return value, ""


def citation_sort_key(item: Any) -> int:
    return -(parse_count(item.get("cited_by_count")) or 0) if isinstance(item, dict) else 0


def parse_work(item: Any) -> Record:
    """One work as a record; raises Rejected."""
    if not isinstance(item, dict):
        raise RejectedItemError("no work")
    retracted = item.get("is_retracted")
    return require_identity(
        Record(
            **paper_ids(arxiv_location_url(item), as_text(item.get("doi"))),
            title=as_text(item.get("title")) or as_text(item.get("display_name")),
            abstract=rebuild_abstract(item.get("abstract_inverted_index")),
            authors=parse_authors(item.get("authorships")),
            published_on=parse_publication_date(item.get("publication_date")),
            withdrawn=retracted if isinstance(retracted, bool) else None,
            cited_by=parse_count(item.get("cited_by_count")),
            updated_at=parse_datetime(item.get("updated_date")),
        )
    )


def arxiv_location_url(item: dict[str, Any]) -> str:
    """Where arXiv has the work, if it does."""
    places = [item.get("primary_location"), *as_dicts(item.get("locations"))]
    addresses = (as_text(place.get("landing_page_url")) for place in as_dicts(places))
    return next((address for address in addresses if identity.parse_arxiv_id(address)), "")


def parse_authors(authorships: Any) -> tuple[str, ...]:
    names = []
    for each in as_dicts(authorships):
        author = each.get("author")
        shown = author.get("display_name") if isinstance(author, dict) else None
        names.append(as_text(shown) or as_text(each.get("raw_author_name")))
    return as_texts(names)


def rebuild_abstract(inverted_index: Any) -> str:
    """The text whose words stand at these places."""
    if not isinstance(inverted_index, dict):
        return ""
    placed = [
        (place, word)
        for word, places in inverted_index.items()
        for place in (places if isinstance(places, list) else [])
        if isinstance(place, int)
    ]
    return " ".join(word for _, word in sorted(placed)[:MAX_ABSTRACT_WORDS])


def parse_publication_date(value: Any) -> date | None:
    day = parse_date(value)
    return None if day and (day.month, day.day) == (1, 1) else day


def parse_datetime(value: Any) -> datetime | None:
    """A moment of UTC, which it does not say."""
    try:
        told = datetime.fromisoformat(as_text(value))
        return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
