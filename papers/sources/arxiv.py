"""arXiv's search API: look up papers by id, search, and list the newest of a category.

A response is an Atom feed. Observed in 2026, contrary to or missing from the documentation:

- An unknown id is not an error: the feed is empty, or its entry has no title.
- An error is a feed with one entry, titled "Error", whose summary is the message. The status is
  400; in the past it has also been 200.
- `published` is the time of the first version, `updated` that of the version in the entry. Adding a
  DOI or a category later changes neither.
- The categories include ACM and MSC terms. The primary category has an element of its own as well.
- A page in the middle of a list may be empty. The same request succeeds later.
- Results change once a day and may be a day behind the announcements.
- There is no field for a withdrawal: only the comment or the abstract states it. Nor is there one
  for code: see `arxiv_common.code_url`.
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
# arXiv returns at most 2,000 and recommends far fewer.
PAGE_SIZE = 500
# The largest category needs half of them for a week.
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
        """Yield the matches of the query; without one, the papers; without any, the newest papers.

        The newest papers are those of the categories, back to the oldest of the days.
        """
        if query := build_search_query(request.query):
            yield from self.fetch_pages(query, order={}, max_pages=MAX_SEARCH_PAGES)
        elif request.papers:
            yield from self.fetch_by_id(
                [paper.arxiv_id for paper in request.papers if paper.arxiv_id]
            )
        else:
            oldest = min(request.days, default=None)
            for category in arxiv_common.valid_categories(request.categories):
                yield from self.fetch_pages(
                    f"cat:{category}",
                    order=NEWEST_FIRST,
                    max_pages=MAX_PAGES if oldest else 1,
                    oldest=oldest,
                )

    def fetch_by_id(self, ids: Sequence[str]) -> Iterator[SourceResponse]:
        ids = list(dict.fromkeys(ids))
        for start in range(0, len(ids), MAX_IDS_PER_REQUEST):
            batch = ids[start : start + MAX_IDS_PER_REQUEST]
            response, _ = self.fetch_page(id_list=",".join(batch), max_results=len(batch))
            yield response

    def fetch_pages(
        self, query: str, *, order: dict[str, str], max_pages: int, oldest: date | None = None
    ) -> Iterator[SourceResponse]:
        """Yield pages until the list ends, or a page has a paper older than the oldest day."""
        start = 0
        for _ in range(max_pages):
            response, total = self.fetch_page(
                search_query=query, start=start, max_results=PAGE_SIZE, **order
            )
            count = len(response.records) + len(response.rejected)
            if not count and start < total:
                raise SourceUnavailableError(
                    f"{self.title} returned an empty page after {start} of {total} papers."
                )
            yield response
            start += count
            if start >= total or (oldest and has_record_before(oldest, response)):
                return

    def fetch_page(self, **query: str | int) -> tuple[SourceResponse, int]:
        """Return one page, and the total number of results on all pages."""
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
                raise InvalidResponseError("The answer is a daily feed: use the source arxiv-rss.")
        total = xml.first_text(feed, "totalResults")
        response = parse_items(entries, parse_entry, self.title)
        return response, int(total[:9]) if total.isdecimal() else len(entries)


def is_error_entry(entry: Element) -> bool:
    entry_id = xml.first_text(entry, "id")
    return "/api/errors" in entry_id or (
        xml.first_text(entry, "title") == "Error" and parse_arxiv_id(entry_id) is None
    )


def parse_entry(entry: Element) -> Record:
    """Return the record of an entry; raise RejectedItemError."""
    arxiv_id = arxiv_common.require_arxiv_id(xml.first_text(entry, "id"))
    if not (title := xml.first_text(entry, "title")):
        raise NotFoundAtSourceError("no title")
    comment, abstract = xml.first_text(entry, "comment"), xml.first_text(entry, "summary")
    return Record(
        arxiv_id=arxiv_id,
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
    """Return the terms of the entry's categories, the primary one first."""
    elements = [*entry.iterfind("primary_category"), *entry.iterfind("category")]
    return [element.get("term", "") for element in elements]


def has_record_before(day: date, response: SourceResponse) -> bool:
    return any(record.published_on and record.published_on < day for record in response.records)


def build_search_query(words: str) -> str:
    """Return the words in arXiv's query language: each must match, in any or in a named field.

    Words with a boolean operator are taken to be in that language already.
    """
    if BOOLEAN_OPERATOR.search(words):
        return words.strip()
    return " AND ".join(map(build_search_clause, SEARCH_WORD.findall(words)))


def build_search_clause(word: str) -> str:
    if FIELD_PREFIX.match(word):
        return word
    return (
        f"all:{word}" if word.startswith('"') or re.fullmatch(r"[\w-]+", word) else f'all:"{word}"'
    )
