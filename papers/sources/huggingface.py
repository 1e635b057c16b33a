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

from papers.identity import arxiv_id
from papers.sources import Answer, MalformedAnswer, Record, Wanted
from papers.sources.http import Client, Refused
from papers.sources.json_values import (
    Rejected,
    answer_of,
    check_error,
    count,
    day_of,
    dicts,
    json_value,
    kind_of,
    repository,
    text,
    texts,
)

BAD_REQUEST = 400
PAGE_SIZE = 100
# Ten times the longest list seen; more means a server that does not page.
MOST_PAGES = 10
LONGEST_LITERAL = 200_000
# Characters; the documentation names no limit, and other readers of the interface cut here.
LONGEST_QUERY = 250
# A day's list is put together on two days of UTC.
LONGEST_LISTING = timedelta(days=2)


class HuggingFace:
    name = "huggingface"
    title = "Hugging Face"

    def __init__(self, client: Client) -> None:
        self.client = client

    def fetch(self, wanted: Wanted) -> Iterator[Answer]:
        """What its search finds, and the lists of the days, one answer a day."""
        if wanted.query:
            yield self.search(wanted.query)
        closed = 0
        for day in wanted.days:
            try:
                answer = self.fetch_day(day)
            except Refused as refused:
                closed += refused.status == BAD_REQUEST
                # A day without a list is no error; several days, and no list at all, is.
                if refused.status != BAD_REQUEST or closed == len(wanted.days) > 1:
                    raise
                answer = Answer()
            yield answer

    def search(self, query: str) -> Answer:
        """Papers of any day, which say themselves when they were listed, if they were."""
        asked = " ".join(query.split())[:LONGEST_QUERY]
        body = self.client.get("api/papers/search", q=asked, limit=PAGE_SIZE)
        return answer_of(items_of(body), lambda item: read(item, None), self.title)

    def fetch_day(self, day: date) -> Answer:
        """All pages of one day; a paper that moved from one page to the next is taken once."""
        records: dict[str, Record] = {}
        rejected: list[str] = []
        for page in range(MOST_PAGES):
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
        return Answer(records=tuple(records.values()), rejected=tuple(rejected))

    def parse(self, body: bytes, *, day: date | None = None) -> Answer:
        """The papers of an answer of any year; `day` is the list's if its items do not say."""
        items = items_of(body)
        listed_on = day or listing_day(items)
        return answer_of(items, lambda item: read(item, listed_on), self.title)


def items_of(body: bytes) -> list[Any]:
    """The items of an answer; of a paper's own page the one paper."""
    value = json_value(body)
    check_error(value, HuggingFace.title)
    if is_flat(value):
        return [value]
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value = value["data"]
    if not isinstance(value, list):
        # A lone 1 has been seen in the place of a weekend's list. It may as well be an error: what
        # is no list says nothing about how many papers there were.
        raise MalformedAnswer(f"The answer is {kind_of(value)}, not a list of papers.")
    return [unquoted(item) for item in value]


def is_flat(item: Any) -> bool:
    """Whether it is a paper as its own page tells it."""
    return isinstance(item, dict) and "id" in item and "paper" not in item


def unquoted(item: Any) -> Any:
    """An item that an archive kept as a Python literal, as what it was."""
    if not isinstance(item, str) or not item.startswith("{") or len(item) > LONGEST_LITERAL:
        return item
    try:
        return ast.literal_eval(item)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return item


def read(item: Any, day: date | None) -> Record:
    """One item as a record; raises Rejected."""
    if is_flat(item):
        # A paper's own page is of no day's list.
        item, day = {"paper": item}, None
    paper = item.get("paper") if isinstance(item, dict) else None
    if not isinstance(paper, dict):
        raise Rejected("no paper")
    if not (raw_id := text(paper.get("id"))):
        raise Rejected("no id")
    if not (identity := arxiv_id(raw_id)):
        raise Rejected("not an arXiv id")
    if not (title := text(item.get("title")) or text(paper.get("title"))):
        raise Rejected("no title")
    listed_on = day_of(paper.get("submittedOnDailyAt")) or day
    published_on = day_of(paper.get("publishedAt")) or listed_on
    code_url = repository(text(paper.get("githubRepo")))
    return Record(
        arxiv_id=identity,
        title=title,
        abstract=text(paper.get("summary")) or text(item.get("summary")),
        authors=authors(paper.get("authors")),
        published_on=min((day for day in (published_on, listed_on) if day), default=None),
        listed_on=listed_on,
        machine_summary=text(paper.get("ai_summary")),
        organization=organization(paper) or organization(item),
        keywords=texts(paper.get("ai_keywords")),
        code_url=code_url,
        project_url=text(paper.get("projectPage")),
        upvotes=count(paper.get("upvotes")),
        comments=count(item.get("numComments")),
        stars=count(paper.get("githubStars")) if code_url else None,
    )


def listing_day(items: Sequence[Any]) -> date | None:
    """The day of a list that does not say, as the answers of 2024 do not.

    Of what search finds the outer `publishedAt` is the papers' own, or is of many days.
    """
    papers = [item for item in dicts(items) if isinstance(item.get("paper"), dict)]
    listed = [
        item for item in papers if item.get("publishedAt") != item["paper"].get("publishedAt")
    ]
    days = [day for item in listed if (day := day_of(item.get("publishedAt")))]
    if not days or max(days) - min(days) > LONGEST_LISTING:
        return None
    return max(days)


def authors(values: Any) -> tuple[str, ...]:
    """The names, without those that their bearers hid."""
    return texts([each.get("name") for each in dicts(values) if not each.get("hidden")])


def organization(holder: dict[str, Any]) -> str:
    value = holder.get("organization")
    if not isinstance(value, dict):
        return ""
    return text(value.get("fullname")) or text(value.get("name"))
