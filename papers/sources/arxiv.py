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

from papers.identity import arxiv_id
from papers.sources import (
    Answer,
    MalformedAnswer,
    Record,
    SourceUnavailable,
    Wanted,
    arxiv_common,
    xml,
)
from papers.sources.http import Client
from papers.sources.json_values import Unknown, answer_of
from papers.topics import categories

PATH = "api/query"
MOST_IDS = 100
# arXiv gives at most 2,000 at once, and asks to stay well below.
PAGE_SIZE = 500
# A week of the largest category is half of it.
MOST_PAGES = 10
MOST_SEARCH_PAGES = 4
NEWEST = {"sortBy": "submittedDate", "sortOrder": "descending"}
SEARCH_WORD = re.compile(r'(?:[a-z]+:)?"[^"]+"|[^\s"]+')
OPERATOR = re.compile(r"\b(?:AND|OR|ANDNOT)\b")
SEARCH_FIELD = re.compile(r"(?:ti|au|abs|co|jr|cat|rn|id|all):.", re.IGNORECASE)


class Arxiv:
    name = "arxiv"
    title = "arXiv"
    turns = arxiv_common.TURNS

    def __init__(self, client: Client) -> None:
        self.client = arxiv_common.xml_from(client)

    def fetch(self, wanted: Wanted) -> Iterator[Answer]:
        """What the words find; else the papers that are named; else the newest of the categories."""
        if query := search_query(wanted.query):
            yield from self.pages(query, order={}, most=MOST_SEARCH_PAGES)
        elif wanted.papers:
            yield from self.look_up([paper.arxiv_id for paper in wanted.papers if paper.arxiv_id])
        else:
            oldest = min(wanted.days, default=None)
            for category in arxiv_common.known(wanted.categories):
                most = MOST_PAGES if oldest else 1
                yield from self.pages(f"cat:{category}", order=NEWEST, most=most, oldest=oldest)

    def look_up(self, ids: Sequence[str]) -> Iterator[Answer]:
        ids = list(dict.fromkeys(ids))
        for start in range(0, len(ids), MOST_IDS):
            batch = ids[start : start + MOST_IDS]
            answer, _ = self.ask(id_list=",".join(batch), max_results=len(batch))
            yield answer

    def pages(
        self, query: str, *, order: dict[str, str], most: int, oldest: date | None = None
    ) -> Iterator[Answer]:
        """One page after another, until one reaches back behind the oldest day."""
        start = 0
        for _ in range(most):
            answer, total = self.ask(
                search_query=query, start=start, max_results=PAGE_SIZE, **order
            )
            count = len(answer.records) + len(answer.rejected)
            if not count and start < total:
                raise SourceUnavailable(
                    f"{self.title} left out a page: {start} of {total} papers came."
                )
            yield answer
            start += count
            if start >= total or (oldest and reaches_behind(oldest, answer)):
                return

    def ask(self, **query: str | int) -> tuple[Answer, int]:
        """An answer, and how many papers there are for the question in all."""
        return arxiv_common.get(self.client, PATH, query, self.read_feed)

    def parse(self, body: bytes, *, day: date | None = None) -> Answer:
        return self.read_feed(body)[0]

    def read_feed(self, body: bytes) -> tuple[Answer, int]:
        feed = xml.tree(body)
        if feed.tag != "feed":
            raise MalformedAnswer(f"The answer is <{feed.tag[:40]}>, not a feed of {self.title}'s.")
        entries = feed.findall("entry")
        for entry in entries:
            if is_error(entry):
                raise arxiv_common.ErrorAnswer(self.title, xml.text(entry, "summary"))
            if entry.find("announce_type") is not None:
                raise MalformedAnswer("The answer is a daily feed: arxiv-rss is the source of it.")
        total = xml.text(feed, "totalResults")
        answer = answer_of(entries, read, self.title)
        return answer, int(total[:9]) if total.isdecimal() else len(entries)


def is_error(entry: Element) -> bool:
    number = xml.text(entry, "id")
    return "/api/errors" in number or (
        xml.text(entry, "title") == "Error" and arxiv_id(number) is None
    )


def read(entry: Element) -> Record:
    """One entry as a record; raises Rejected."""
    number = arxiv_common.number(xml.text(entry, "id"))
    if not (title := xml.text(entry, "title")):
        raise Unknown("no title")
    comment, abstract = xml.text(entry, "comment"), xml.text(entry, "summary")
    return Record(
        arxiv_id=number,
        doi=arxiv_common.doi(xml.text(entry, "doi")),
        title=title,
        abstract=abstract,
        authors=arxiv_common.people(xml.texts(entry, "author/name")),
        categories=tuple(categories.canonicals(terms(entry))),
        published_on=xml.day(xml.text(entry, "published")),
        updated_at=xml.moment(xml.text(entry, "updated")),
        withdrawn=arxiv_common.withdrawn(comment, abstract),
        code_url=arxiv_common.code_url(comment, abstract),
    )


def terms(entry: Element) -> list[str]:
    """What it is filed under, the primary one first."""
    found = [*entry.iterfind("primary_category"), *entry.iterfind("category")]
    return [each.get("term", "") for each in found]


def reaches_behind(oldest: date, answer: Answer) -> bool:
    return any(each.published_on and each.published_on < oldest for each in answer.records)


def search_query(words: str) -> str:
    """Words as arXiv's language has them: each must be somewhere, unless it names a field."""
    if OPERATOR.search(words):
        return words.strip()
    return " AND ".join(map(search_word, SEARCH_WORD.findall(words)))


def search_word(word: str) -> str:
    if SEARCH_FIELD.match(word):
        return word
    return (
        f"all:{word}" if word.startswith('"') or re.fullmatch(r"[\w-]+", word) else f'all:"{word}"'
    )
