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
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from papers.identity import arxiv_id
from papers.sources import Answer, MalformedAnswer, Record, Wanted
from papers.sources.http import Client, Refused

BAD_REQUEST = 400
PAGE_SIZE = 100
# Ten times the longest list seen; more means a server that does not page.
MOST_PAGES = 10
# PostgreSQL's largest integer.
MOST = 2**31 - 1
LONGEST_LITERAL = 200_000

GITHUB = re.compile(
    r"(?:https?://)?(?:www\.)?github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?(?:[/?#].*)?"
)
GITHUB_OWNER = re.compile(r"(?:https?://)?(?:www\.)?github\.com(?:/[\w.-]*)?/?")
DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")


class Rejected(Exception):
    """An item that is no paper; says why in a few words."""


class HuggingFace:
    name = "huggingface"
    title = "Hugging Face"

    def __init__(self, client: Client) -> None:
        self.client = client

    def fetch(self, wanted: Wanted) -> Iterator[Answer]:
        """The lists of the days, one answer a day."""
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
        items = [unquoted(item) for item in array(body)]
        day = day or latest_outer_day(items)
        records: dict[str, Record] = {}
        rejected: list[str] = []
        for item in items:
            try:
                record = read(item, day)
            except Rejected as reason:
                rejected.append(str(reason))
            else:
                records.setdefault(record.arxiv_id, record)
        if rejected and not records:
            raise MalformedAnswer(
                f"None of the {len(rejected)} items is a paper of {self.title} ({rejected[0]})."
            )
        return Answer(records=tuple(records.values()), rejected=tuple(rejected))


def array(body: bytes) -> list[Any]:
    """The items of an answer."""
    if not body.strip():
        raise MalformedAnswer("The answer is empty.")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise MalformedAnswer(f"The answer is not JSON, or was cut off{where}.") from None
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value = value["data"]
    if not isinstance(value, list):
        # A lone 1 has been seen in the place of a weekend's list. It may as well be an error: what
        # is no list says nothing about how many papers there were.
        kind = "an object" if isinstance(value, dict) else json.dumps(value)[:20]
        raise MalformedAnswer(f"The answer is {kind}, not a list of papers.")
    return value


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
    paper = item.get("paper") if isinstance(item, dict) else None
    if not isinstance(paper, dict):
        raise Rejected("no paper")
    if not (raw_id := text(paper.get("id"))):
        raise Rejected("no id")
    if not (identity := arxiv_id(raw_id)):
        raise Rejected("not an arXiv id")
    if not (title := text(item.get("title")) or text(paper.get("title"))):
        raise Rejected("no title")
    if not (listed_on := day_of(paper.get("submittedOnDailyAt")) or day):
        raise Rejected("no day")
    code_url = repository(text(paper.get("githubRepo")))
    return Record(
        arxiv_id=identity,
        title=title,
        abstract=text(paper.get("summary")) or text(item.get("summary")),
        authors=authors(paper.get("authors")),
        published_on=min(day_of(paper.get("publishedAt")) or listed_on, listed_on),
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


def latest_outer_day(items: Sequence[Any]) -> date | None:
    """The day of a list that does not say, as the answers of 2024 do not."""
    days = (day_of(item.get("publishedAt")) for item in items if isinstance(item, dict))
    return max((day for day in days if day), default=None)


def day_of(value: Any) -> date | None:
    """The day in UTC of a date or moment, however written: 2026-6-3, 2026-06-03T01:02:03.456Z."""
    written = text(value)
    if not (found := DAY.match(written)):
        return None
    try:
        day = date(*(int(number) for number in found.groups()))
    except ValueError:
        return None
    try:
        moment = datetime.fromisoformat(f"{day.isoformat()}{written[found.end() :]}")
        return moment.astimezone(UTC).date() if moment.tzinfo else day
    except (ValueError, OverflowError):
        return day


def text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def texts(values: Any) -> tuple[str, ...]:
    """The texts of a list, each once."""
    found = (text(value) for value in values) if isinstance(values, list) else ()
    return tuple(dict.fromkeys(value for value in found if value))


def authors(values: Any) -> tuple[str, ...]:
    """The names, without those that their bearers hid."""
    shown = values if isinstance(values, list) else []
    return texts(
        [each.get("name") for each in shown if isinstance(each, dict) and not each.get("hidden")]
    )


def organization(holder: dict[str, Any]) -> str:
    value = holder.get("organization")
    if not isinstance(value, dict):
        return ""
    return text(value.get("fullname")) or text(value.get("name"))


def repository(url: str) -> str:
    """The address of the code; for GitHub the repository itself, without a branch or a slash."""
    if GITHUB_OWNER.fullmatch(url):
        return ""
    if found := GITHUB.fullmatch(url):
        return f"https://github.com/{found[1]}/{found[2]}"
    return url


def count(value: Any) -> int | None:
    """A number of votes or stars; what cannot be one is not known."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        return None
    return int(value)
