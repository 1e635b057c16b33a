"""OpenAlex: how often a work is cited, and whether it was retracted.

Works are looked up by DOI, many in one call; arXiv papers by the DOI that arXiv assigns. Observed,
contrary to or missing from the documentation:

- Unknown DOIs are omitted silently.
- A preprint and its journal version are either one work, with the journal's DOI, or two works. So
  both DOIs are looked up, and of two works of one paper the one with more citations is used.
- The arXiv id is only in the DOI, or in the URL of one of the locations.
- A `publication_date` of 1 January mostly means that only the year is known.
- The abstract is an inverted index. Only the first hundred authors are listed.
- The last page has a `next_cursor` as well; it is the page that is not full.
- A DOI with a comma or a bar cannot be looked up.
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
# Papers per call. A call may have a hundred DOIs, and a paper has up to two. The URL must stay
# short.
PAPER_BATCH_SIZE, MAX_DOI_CHARS = 50, 100
PAGE_SIZE = 100
# Ten times as many as a hundred DOIs should need. A server with more ignores the cursor.
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
        """Return the client's arguments for the operator's key."""
        return {"query": {"api_key": key}}

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """Yield the works of the papers, then one response with a rejection per unknown paper."""
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
            for response in self.fetch_batch(dois):
                known |= {doi for record in response.records for doi in candidate_dois(record)}
                # A later fetch cannot resume here: it looks up other papers.
                yield replace(response, cursor="")
        if unknown := [paper for paper in papers if not known & candidate_dois(paper)]:
            yield SourceResponse(rejected=(NOT_FOUND_REASON,) * len(unknown))

    def fetch_batch(self, dois: Sequence[str]) -> Iterator[SourceResponse]:
        """Yield the works with these DOIs, page by page."""
        cursor = "*"
        for _ in range(MAX_PAGES):
            body = self.client.get(
                "works",
                filter=f"doi:{'|'.join(dois)}",
                select=WORK_FIELDS,
                cursor=cursor,
                **{"per-page": PAGE_SIZE},
            )
            page = self.parse(body)
            yield page
            if len(page.records) + len(page.rejected) < PAGE_SIZE or not page.cursor:
                return
            cursor = page.cursor

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        items, cursor = extract_items_and_cursor(body)
        # The first of two works of one paper is used.
        most_cited_first = sorted(items, key=citation_sort_key)
        return replace(parse_items(most_cited_first, parse_work, self.title), cursor=cursor)


def candidate_dois(paper: KnownPaper | Record) -> set[str]:
    """Return the DOIs under which OpenAlex may have the paper, without those it cannot look up."""
    arxiv_doi = f"{ARXIV_DOI_PREFIX}{paper.arxiv_id}" if paper.arxiv_id else ""
    dois = {doi.lower() for doi in (arxiv_doi, paper.doi) if doi}
    return {doi for doi in dois if len(doi) <= MAX_DOI_CHARS and not {",", "|"} & set(doi)}


def extract_items_and_cursor(body: bytes) -> tuple[list[Any], str]:
    """Return the works of a response, and the cursor of the next page."""
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
    """Return the record of a work; raise RejectedItemError."""
    if not isinstance(item, dict):
        raise RejectedItemError("not a work")
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
    """Return the URL of the work on arXiv, or ""."""
    locations = [item.get("primary_location"), *as_dicts(item.get("locations"))]
    urls = (as_text(location.get("landing_page_url")) for location in as_dicts(locations))
    return next((url for url in urls if identity.parse_arxiv_id(url)), "")


def parse_authors(authorships: Any) -> tuple[str, ...]:
    names = []
    for authorship in as_dicts(authorships):
        author = authorship.get("author")
        name = author.get("display_name") if isinstance(author, dict) else None
        names.append(as_text(name) or as_text(authorship.get("raw_author_name")))
    return as_texts(names)


def rebuild_abstract(inverted_index: Any) -> str:
    """Return the text of an inverted index, which has the positions of each word."""
    if not isinstance(inverted_index, dict):
        return ""
    words = [
        (position, word)
        for word, positions in inverted_index.items()
        for position in (positions if isinstance(positions, list) else [])
        if isinstance(position, int)
    ]
    return " ".join(word for _, word in sorted(words)[:MAX_ABSTRACT_WORDS])


def parse_publication_date(value: Any) -> date | None:
    """Return the day, or None for 1 January: it mostly stands for a year."""
    day = parse_date(value)
    return None if day and (day.month, day.day) == (1, 1) else day


def parse_datetime(value: Any) -> datetime | None:
    """Return a moment; one without a time zone is in UTC."""
    try:
        moment = datetime.fromisoformat(as_text(value))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
