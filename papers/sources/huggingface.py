"""Hugging Face's daily papers: what its community put forward each day, with upvotes.

The answer is a JSON array; an item holds the arXiv paper under `paper` and Hugging Face's own facts
beside it. Seen in answers of 2024 to 2026, against or beyond the documentation:

- The title stands twice. Until March 2025 the inner one has lost the `$` and `\\` of its TeX, so the
  outer one is read. The outer `summary` exists since 2025 only, so the inner one is read.
- The outer `publishedAt` was the listing's moment until March 2025; since then it is the arXiv
  date, some days before, and `paper.submittedOnDailyAt` is the listing's.
- Every optional field may be missing or null, and appears on a later day.
- A page may hold fewer papers than asked for; past the last page the answer is `[]`.
- A day that is not open yet answers 400. Weekends have lists rarely.
- Other people's archives also keep the items as Python literals, or the array as `data` in an
  object; both are read.
- `/api/papers/search` answers with the same items, of any day, in one page; its query may not be
  long. `/api/papers/{id}` answers with the paper alone, without the outer facts.
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
# Ten times the longest list seen; more means a server that does not page.
MAX_PAGES = 10
MAX_LITERAL_CHARS = 200_000
# Characters; the documentation names no limit, and other readers of the interface cut here.
MAX_QUERY_CHARS = 250
# A day's list is put together on two days of UTC.
MAX_LISTING_SPAN = timedelta(days=2)


class HuggingFace:
    name = "huggingface"
    title = "Hugging Face"

    def __init__(self, client: SourceClient) -> None:
        self.client = client

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """What its search finds, and the lists of the days, one answer a day."""
        if request.query:
            yield self.search(request.query)
        closed = 0
        for day in request.days:
            try:
                answer = self.fetch_day(day)
            except HttpError as refused:
                closed += refused.status == BAD_REQUEST
                # A day without a list is no error; several days, and no list at all, is.
                if refused.status != BAD_REQUEST or closed == len(request.days) > 1:
                    raise
                answer = SourceResponse()
            yield answer

    def search(self, query: str) -> SourceResponse:
        """Papers of any day, which say themselves when they were listed, if they were."""
        asked = " ".join(query.split())[:MAX_QUERY_CHARS]
        body = self.client.get("api/papers/search", q=asked, limit=PAGE_SIZE)
        return parse_items(extract_items(body), lambda item: parse_item(item, None), self.title)

    def fetch_day(self, day: date) -> SourceResponse:
        """All pages of one day; a paper that moved from one page to the next is taken once."""
        records: dict[str, Record] = {}
        rejected: list[str] = []
        for page in range(MAX_PAGES):
            body = self.client.get(
                "api/daily_papers", date=day.isoformat(), limit=PAGE_SIZE, p=page
            )
            answer = self.parse(body, day=day)
            fresh = {each.arxiv_id: each for each in answer.records if each.arxiv_id not in records}
            if page and not fresh:
                break
            records |= fresh
            rejected += answer.rejected
            if not fresh:
                break
        return SourceResponse(records=tuple(records.values()), rejected=tuple(rejected))

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        """The papers of an answer of any year; `day` is the list's if its items do not say."""
        items = extract_items(body)
        listed_on = day or infer_listing_date(items)
        return parse_items(items, lambda item: parse_item(item, listed_on), self.title)


def extract_items(body: bytes) -> list[Any]:
    """The items of an answer; of a paper's own page the one paper."""
    value = parse_json(body)
    raise_for_error(value, HuggingFace.title)
    if is_bare_paper(value):
        return [value]
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value = value["data"]
    if not isinstance(value, list):
        # A lone 1 has been seen in the place of a weekend's list. It may as well be an error: what
        # is no list says nothing about how many papers there were.
        raise InvalidResponseError(f"The answer is {describe_json(value)}, not a list of papers.")
    return [parse_python_literal(item) for item in value]


def is_bare_paper(item: Any) -> bool:
    """Whether it is a paper as its own page tells it."""
    return isinstance(item, dict) and "id" in item and "paper" not in item


def parse_python_literal(item: Any) -> Any:
    """An item that an archive kept as a Python literal, as what it was."""
    if not isinstance(item, str) or not item.startswith("{") or len(item) > MAX_LITERAL_CHARS:
        return item
    try:
        return ast.literal_eval(item)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return item


def parse_item(item: Any, day: date | None) -> Record:
    """One item as a record; raises Rejected."""
    if is_bare_paper(item):
        # A paper's own page is of no day's list.
        item, day = {"paper": item}, None
    paper = item.get("paper") if isinstance(item, dict) else None
    if not isinstance(paper, dict):
        raise RejectedItemError("no paper")
    if not (raw_id := as_text(paper.get("id"))):
        raise RejectedItemError("no id")
    if not (identity := parse_arxiv_id(raw_id)):
        raise RejectedItemError("not an arXiv id")
    if not (title := as_text(item.get("title")) or as_text(paper.get("title"))):
        raise RejectedItemError("no title")
    listed_on = parse_date(paper.get("submittedOnDailyAt")) or day
    published_on = parse_date(paper.get("publishedAt")) or listed_on
    code_url = normalise_repo_url(as_text(paper.get("githubRepo")))
    return Record(
        arxiv_id=identity,
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
    """The day of a list that does not say, as the answers of 2024 do not.

    Of what search finds the outer `publishedAt` is the papers' own, or is of many days.
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
    """The names, without those that their bearers hid."""
    return as_texts([each.get("name") for each in as_dicts(values) if not each.get("hidden")])


def parse_organization(container: dict[str, Any]) -> str:
    value = container.get("organization")
    if not isinstance(value, dict):
        return ""
    return as_text(value.get("fullname")) or as_text(value.get("name"))
