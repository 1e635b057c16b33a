"""arXiv's search: what it says of given papers, and the newest of a category.

The answer is an Atom feed. Seen in answers of 2026, against or beyond the documentation:

- An id that nobody has is no error: the feed is empty, or its entry has no title.
- An error is a feed with one entry titled Error whose summary says what was wrong, with HTTP 400,
  and with 200 in some answers of the past.
- `published` is the moment of the first version, `updated` that of the version told of: a DOI or a
  category that was added later changes neither.
- The categories include terms of the ACM and the MSC; the primary one stands apart as well.
- A page may come back empty in the middle of a list. Asked again later it is whole.
- What it finds changes once a day, and may lag a day behind the announcement.
- The comment and the abstract say whether a paper was withdrawn; there is no field for it. A page
  of code has none either: see `eprint.code_url` for when one is taken from the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from xml.etree.ElementTree import Element

from papers.identity import parse_arxiv_id
from papers.sources import (
    FetchRequest,
    InvalidResponseError,
    Record,
    SourceResponse,
    SourceUnavailableError,
    arxiv_common,
    xml,
)
from papers.sources.http import SourceClient
from papers.sources.json_values import NotFoundAtSourceError, parse_items
from papers.topics import categories

QUERY_PATH = "api/query"
MAX_IDS_PER_REQUEST = 100
# arXiv gives at most 2,000 at once, and asks to stay well below.
PAGE_SIZE = 500
# A week of the largest category is half of it.
MAX_PAGES = 10
MAX_SEARCH_PAGES = 4
NEWEST_FIRST = {"sortBy": "submittedDate", "sortOrder": "descending"}
SEARCH_WORD = re.compile(r'(?:[a-z]+:)?"[^"]+"|[^\s"]+')
BOOLEAN_OPERATOR = re.compile(r"\b(?:AND|OR|ANDNOT)\b")
FIELD_PREFIX = re.compile(r"(?:ti|au|abs|co|jr|cat|rn|id|all):.", re.IGNORECASE)


class Arxiv:
    name = "arxiv"
    title = "arXiv"
    pacing = arxiv_common.PACING

    def __init__(self, client: SourceClient) -> None:
        self.client = arxiv_common.xml_client(client)

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """What the words find; else the papers that are named; else the newest of the categories."""
        if query := build_search_query(request.query):
            yield from self.fetch_pages(query, order={}, max_pages=MAX_SEARCH_PAGES)
        elif request.papers:
            yield from self.fetch_by_id(
                [paper.arxiv_id for paper in request.papers if paper.arxiv_id]
            )
        else:
            oldest = min(request.days, default=None)
            for category in arxiv_common.valid_categories(request.categories):
                most = MAX_PAGES if oldest else 1
                yield from self.fetch_pages(
                    f"cat:{category}", order=NEWEST_FIRST, max_pages=most, oldest=oldest
                )

    def fetch_by_id(self, ids: Sequence[str]) -> Iterator[SourceResponse]:
        ids = list(dict.fromkeys(ids))
        for start in range(0, len(ids), MAX_IDS_PER_REQUEST):
            batch = ids[start : start + MAX_IDS_PER_REQUEST]
            answer, _ = self.fetch_page(id_list=",".join(batch), max_results=len(batch))
            yield answer

    def fetch_pages(
        self, query: str, *, order: dict[str, str], max_pages: int, oldest: date | None = None
    ) -> Iterator[SourceResponse]:
        """One page after another, until one reaches back behind the oldest day."""
        start = 0
        for _ in range(max_pages):
            answer, total = self.fetch_page(
                search_query=query, start=start, max_results=PAGE_SIZE, **order
            )
            count = len(answer.records) + len(answer.rejected)
            if not count and start < total:
                raise SourceUnavailableError(
                    f"{self.title} left out a page: {start} of {total} papers came."
                )
            yield answer
            start += count
            if start >= total or (oldest and has_record_before(oldest, answer)):
                return

    def fetch_page(self, **query: str | int) -> tuple[SourceResponse, int]:
        """An answer, and how many papers there are for the question in all."""
        return arxiv_common.fetch_and_parse(self.client, QUERY_PATH, query, self.parse_feed)

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        return self.parse_feed(body)[0]

    def parse_feed(self, body: bytes) -> tuple[SourceResponse, int]:
        feed = xml.parse_xml(body)
        if feed.tag != "feed":
            raise InvalidResponseError(
                f"The answer is <{feed.tag[:40]}>, not a feed of {self.title}'s."
            )
        entries = feed.findall("entry")
        for entry in entries:
            if is_error_entry(entry):
                raise arxiv_common.ArxivError(self.title, xml.first_text(entry, "summary"))
            if entry.find("announce_type") is not None:
                raise InvalidResponseError(
                    "The answer is a daily feed: arxiv-rss is the source of it."
                )
        total = xml.first_text(feed, "totalResults")
        answer = parse_items(entries, parse_entry, self.title)
        return answer, int(total[:9]) if total.isdecimal() else len(entries)


def is_error_entry(entry: Element) -> bool:
    number = xml.first_text(entry, "id")
    return "/api/errors" in number or (
        xml.first_text(entry, "title") == "Error" and parse_arxiv_id(number) is None
    )


def parse_entry(entry: Element) -> Record:
    """One entry as a record; raises Rejected."""
    number = arxiv_common.require_arxiv_id(xml.first_text(entry, "id"))
    if not (title := xml.first_text(entry, "title")):
        raise NotFoundAtSourceError("no title")
    comment, abstract = xml.first_text(entry, "comment"), xml.first_text(entry, "summary")
    return Record(
        arxiv_id=number,
        doi=arxiv_common.first_publisher_doi(xml.first_text(entry, "doi")),
        title=title,
        abstract=abstract,
        authors=arxiv_common.clean_author_names(xml.all_texts(entry, "author/name")),
        categories=tuple(categories.canonical_ids(category_terms(entry))),
        published_on=xml.parse_date(xml.first_text(entry, "published")),
        updated_at=xml.parse_datetime(xml.first_text(entry, "updated")),
        withdrawn=arxiv_common.mentions_withdrawal(comment, abstract),
        code_url=arxiv_common.code_url(comment, abstract),
    )


def category_terms(entry: Element) -> list[str]:
    """What it is filed under, the primary one first."""
    found = [*entry.iterfind("primary_category"), *entry.iterfind("category")]
    return [each.get("term", "") for each in found]


def has_record_before(day: date, response: SourceResponse) -> bool:
    return any(each.published_on and each.published_on < day for each in response.records)


def build_search_query(words: str) -> str:
    """Words as arXiv's language has them: each must be somewhere, unless it names a field."""
    if BOOLEAN_OPERATOR.search(words):
        return words.strip()
    return " AND ".join(map(build_search_clause, SEARCH_WORD.findall(words)))


def build_search_clause(word: str) -> str:
    if FIELD_PREFIX.match(word):
        return word
    return (
        f"all:{word}" if word.startswith('"') or re.fullmatch(r"[\w-]+", word) else f'all:"{word}"'
    )
