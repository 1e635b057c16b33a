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
from papers.sources import Answer, Known, MalformedAnswer, Record, Wanted
from papers.sources.http import Client
from papers.sources.json_values import (
    Rejected,
    answer_of,
    check_error,
    count,
    day_of,
    dicts,
    identified,
    json_value,
    kind_of,
    numbers,
    text,
    texts,
)

ARXIV_DOI = "10.48550/arxiv."
# Papers in one question, which may hold a hundred DOIs: two for each. An address must not be long.
BATCH, LONGEST_DOI = 50, 100
PAGE_SIZE = 100
# Ten times what the DOIs of a question can have; more means a server that does not page.
MOST_PAGES = 10
MOST_WORDS = 10_000
FIELDS = (
    "id,ids,doi,title,publication_date,cited_by_count,is_retracted,authorships,locations,"
    "abstract_inverted_index,updated_date"
)
UNKNOWN = "unknown to OpenAlex"


class OpenAlex:
    name = "openalex"
    title = "OpenAlex"
    turns = ("openalex", timedelta(seconds=0.2))

    def __init__(self, client: Client) -> None:
        self.client = client

    @staticmethod
    def credentials(key: str) -> dict[str, Any]:
        """How the operator's key goes with every question."""
        return {"query": {"api_key": key}}

    def fetch(self, wanted: Wanted) -> Iterator[Answer]:
        """What it knows of the papers: answers for each batch, then what it does not know."""
        papers = [paper for paper in wanted.papers if dois_of(paper)]
        known: set[str] = set()
        for start in range(0, len(papers), BATCH):
            dois = sorted(
                {doi for paper in papers[start : start + BATCH] for doi in dois_of(paper)}
            )
            for answer in self.fetch_batch(dois):
                known |= {doi for record in answer.records for doi in dois_of(record)}
                # A batch is asked for whole: there is nothing to resume.
                yield replace(answer, cursor="")
        if unknown := [paper for paper in papers if not known & dois_of(paper)]:
            yield Answer(rejected=(UNKNOWN,) * len(unknown))

    def fetch_batch(self, dois: Sequence[str]) -> Iterator[Answer]:
        """The works with these DOIs, page by page."""
        cursor = "*"
        for _ in range(MOST_PAGES):
            body = self.client.get(
                "works",
                filter=f"doi:{'|'.join(dois)}",
                select=FIELDS,
                cursor=cursor,
                **{"per-page": PAGE_SIZE},
            )
            answer = self.parse(body)
            yield answer
            if len(answer.records) + len(answer.rejected) < PAGE_SIZE or not answer.cursor:
                return
            cursor = answer.cursor

    def parse(self, body: bytes, *, day: date | None = None) -> Answer:
        items, cursor = items_of(body)
        answer = answer_of(sorted(items, key=most_cited_first), read, self.title)
        return Answer(records=answer.records, rejected=answer.rejected, cursor=cursor)


def dois_of(paper: Known | Record) -> set[str]:
    """The DOIs that a paper may have there."""
    arxiv = f"{ARXIV_DOI}{paper.arxiv_id}" if paper.arxiv_id else ""
    found = {doi.lower() for doi in (arxiv, paper.doi) if doi}
    return {doi for doi in found if len(doi) <= LONGEST_DOI and not {",", "|"} & set(doi)}


def items_of(body: bytes) -> tuple[list[Any], str]:
    """The works of an answer, and where the next page begins."""
    value = json_value(body)
    check_error(value, OpenAlex.title)
    if isinstance(value, dict) and isinstance(value.get("results"), list):
        meta = value.get("meta")
        return value["results"], text(meta.get("next_cursor")) if isinstance(meta, dict) else ""
    if isinstance(value, dict) and "doi" in value:
        return [value], ""
    if not isinstance(value, list):
        raise MalformedAnswer(f"The answer is {kind_of(value)}, not a list of works.")
    return value, ""


def most_cited_first(item: Any) -> int:
    return -(count(item.get("cited_by_count")) or 0) if isinstance(item, dict) else 0


def read(item: Any) -> Record:
    """One work as a record; raises Rejected."""
    if not isinstance(item, dict):
        raise Rejected("no work")
    retracted = item.get("is_retracted")
    return identified(
        Record(
            **numbers(arxiv_address(item), text(item.get("doi"))),
            title=text(item.get("title")) or text(item.get("display_name")),
            abstract=abstract(item.get("abstract_inverted_index")),
            authors=authors(item.get("authorships")),
            published_on=published_on(item.get("publication_date")),
            withdrawn=retracted if isinstance(retracted, bool) else None,
            cited_by=count(item.get("cited_by_count")),
            updated_at=moment(item.get("updated_date")),
        )
    )


def arxiv_address(item: dict[str, Any]) -> str:
    """Where arXiv has the work, if it does."""
    places = [item.get("primary_location"), *dicts(item.get("locations"))]
    addresses = (text(place.get("landing_page_url")) for place in dicts(places))
    return next((address for address in addresses if identity.arxiv_id(address)), "")


def authors(authorships: Any) -> tuple[str, ...]:
    names = []
    for each in dicts(authorships):
        author = each.get("author")
        shown = author.get("display_name") if isinstance(author, dict) else None
        names.append(text(shown) or text(each.get("raw_author_name")))
    return texts(names)


def abstract(index: Any) -> str:
    """The text whose words stand at these places."""
    if not isinstance(index, dict):
        return ""
    placed = [
        (place, word)
        for word, places in index.items()
        for place in (places if isinstance(places, list) else [])
        if isinstance(place, int)
    ]
    return " ".join(word for _, word in sorted(placed)[:MOST_WORDS])


def published_on(value: Any) -> date | None:
    day = day_of(value)
    return None if day and (day.month, day.day) == (1, 1) else day


def moment(value: Any) -> datetime | None:
    """A moment of UTC, which it does not say."""
    try:
        told = datetime.fromisoformat(text(value))
        return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
