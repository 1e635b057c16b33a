r"""Hugging Face's daily papers: what its community submitted each day, with upvotes.

A response is a JSON array. An item has the arXiv paper under `paper`, and Hugging Face's own fields
beside it. Observed in 2024 to 2026, contrary to or missing from the documentation:

- Both the item and its paper have a title. Until March 2025 the paper's lacks the `$` and `\` of
  its TeX, so the item's is preferred. The item's `summary` exists only since 2025, so the paper's
  is preferred.
- The item's `publishedAt` was the time of the listing until March 2025. Since then it is the arXiv
  date, some days earlier, and `paper.submittedOnDailyAt` is the time of the listing.
- Every optional field may be missing or null, and be filled in on a later day.
- A page may be shorter than requested; the page after the last one is `[]`.
- A day without a list yet returns 400. Weekends rarely have a list.
- Other people's archives also have items as Python literals, or the array as `data` in an object;
  both are parsed.
- `/api/papers/search` returns the same items, of any day, on one page; its query is limited in
  length. `/api/papers/{id}` returns the paper alone, without the item's fields.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from papers.identity import parse_arxiv_id
from papers.sources import FetchRequest, InvalidResponseError, Record, SourceResponse
from papers.sources.http import HttpError, SourceClient
from papers.sources.json_values import (
    RejectedItemError,
    as_dicts,
    as_text,
    as_texts,
    describe_json,
    normalise_repo_url,
    parse_count,
    parse_date,
    parse_items,
    parse_json,
    raise_for_error,
)

BAD_REQUEST = 400
PAGE_SIZE = 100
# Ten times the longest list seen. A server with more ignores the page number.
MAX_PAGES = 10
MAX_LITERAL_CHARS = 200_000
# Other clients of the API cut here; the documentation states no limit.
MAX_QUERY_CHARS = 250
# A day's list is compiled during two days of UTC.
MAX_LISTING_SPAN = timedelta(days=2)


class HuggingFace:
    name = "huggingface"
    title = "Hugging Face"

    def __init__(self, client: SourceClient) -> None:
        self.client = client

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """Yield the search results for the query, then the list of each day."""
        if request.query:
            yield self.search(request.query)
        missing = 0
        for day in request.days:
            try:
                response = self.fetch_day(day)
            except HttpError as error:
                missing += error.status == BAD_REQUEST
                # One day without a list is normal. That all of several days have none is an error.
                if error.status != BAD_REQUEST or missing == len(request.days) > 1:
                    raise
                response = SourceResponse()
            yield response

    def search(self, query: str) -> SourceResponse:
        """Return papers of any day. Only those that were listed have a date of listing."""
        words = " ".join(query.split())[:MAX_QUERY_CHARS]
        body = self.client.get("api/papers/search", q=words, limit=PAGE_SIZE)
        return parse_items(extract_items(body), lambda item: parse_item(item, None), self.title)

    def fetch_day(self, day: date) -> SourceResponse:
        """Return all pages of a day; a paper that moved to the next page meanwhile, only once."""
        records: dict[str, Record] = {}
        rejected: list[str] = []
        for page in range(MAX_PAGES):
            body = self.client.get(
                "api/daily_papers", date=day.isoformat(), limit=PAGE_SIZE, p=page
            )
            response = self.parse(body, day=day)
            new = {
                record.arxiv_id: record
                for record in response.records
                if record.arxiv_id not in records
            }
            if page and not new:
                break
            records |= new
            rejected += response.rejected
            if not new:
                break
        return SourceResponse(records=tuple(records.values()), rejected=tuple(rejected))

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        """Parse a response in any format so far; `day` is the list's, if its items state none."""
        items = extract_items(body)
        listed_on = day or infer_listing_date(items)
        return parse_items(items, lambda item: parse_item(item, listed_on), self.title)


def extract_items(body: bytes) -> list[Any]:
    """Return the items of a response: of a list, or of the page of a single paper."""
    value = parse_json(body)
    raise_for_error(value, HuggingFace.title)
    if is_bare_paper(value):
        return [value]
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value = value["data"]
    if not isinstance(value, list):
        # A lone 1 has been seen instead of a weekend's list. Do not treat it as an empty list: it
        # may as well be an error, and then the day would look as if it had no papers.
        raise InvalidResponseError(f"The answer is {describe_json(value)}, not a list of papers.")
    return [parse_python_literal(item) for item in value]


def is_bare_paper(item: Any) -> bool:
    """Return whether the item comes from `/api/papers/{id}`."""
    return isinstance(item, dict) and "id" in item and "paper" not in item


def parse_python_literal(item: Any) -> Any:
    """Return the value of an item that an archive stored as a Python literal; else the item."""
    if not isinstance(item, str) or not item.startswith("{") or len(item) > MAX_LITERAL_CHARS:
        return item
    try:
        return ast.literal_eval(item)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return item


def parse_item(item: Any, day: date | None) -> Record:
    """Return the record of an item; raise RejectedItemError."""
    if is_bare_paper(item):
        # The page of a paper belongs to no day's list.
        item, day = {"paper": item}, None
    paper = item.get("paper") if isinstance(item, dict) else None
    if not isinstance(paper, dict):
        raise RejectedItemError("not a paper")
    if not (raw_id := as_text(paper.get("id"))):
        raise RejectedItemError("no id")
    if not (arxiv_id := parse_arxiv_id(raw_id)):
        raise RejectedItemError("not an arXiv id")
    if not (title := as_text(item.get("title")) or as_text(paper.get("title"))):
        raise RejectedItemError("no title")
    listed_on = parse_date(paper.get("submittedOnDailyAt")) or day
    published_on = parse_date(paper.get("publishedAt")) or listed_on
    code_url = normalise_repo_url(as_text(paper.get("githubRepo")))
    return Record(
        arxiv_id=arxiv_id,
        title=title,
        abstract=as_text(paper.get("summary")) or as_text(item.get("summary")),
        authors=parse_authors(paper.get("authors")),
        published_on=min((day for day in (published_on, listed_on) if day), default=None),
        listed_on=listed_on,
        machine_summary=as_text(paper.get("ai_summary")),
        organization=parse_organization(paper) or parse_organization(item),
        keywords=as_texts(paper.get("ai_keywords")),
        code_url=code_url,
        project_url=as_text(paper.get("projectPage")),
        upvotes=parse_count(paper.get("upvotes")),
        comments=parse_count(item.get("numComments")),
        stars=parse_count(paper.get("githubStars")) if code_url else None,
    )


def infer_listing_date(items: Sequence[Any]) -> date | None:
    """Return the day of a list of 2024, which is only in the items' `publishedAt`, or None.

    For search results return None: there it equals the paper's, or the days are far apart.
    """
    papers = [item for item in as_dicts(items) if isinstance(item.get("paper"), dict)]
    listed = [
        item for item in papers if item.get("publishedAt") != item["paper"].get("publishedAt")
    ]
    days = [day for item in listed if (day := parse_date(item.get("publishedAt")))]
    if not days or max(days) - min(days) > MAX_LISTING_SPAN:
        return None
    return max(days)


def parse_authors(values: Any) -> tuple[str, ...]:
    """Return the names of the authors who are not hidden."""
    authors = as_dicts(values)
    return as_texts([author.get("name") for author in authors if not author.get("hidden")])


def parse_organization(container: dict[str, Any]) -> str:
    value = container.get("organization")
    if not isinstance(value, dict):
        return ""
    return as_text(value.get("fullname")) or as_text(value.get("name"))
