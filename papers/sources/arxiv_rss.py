"""arXiv's daily feeds: what was announced in a category the evening before.

RSS 2.0 and Atom hold the same. Seen in feeds of 2025 and in what the service's own code makes,
against or beyond the documentation:

- They are made anew at midnight in New York and hold that day only: a day that was missed is gone.
  On Saturdays, Sundays and arXiv's holidays they are empty, with HTTP 200.
- A feed of several categories holds each paper once, and at most 2,000 in all.
- What is wrong with the question is the description of a feed titled "Feed error for query".
- The description begins with the id and the kind of announcement; the abstract follows.
- All authors are one text, with affiliations in parentheses, "Jr." after a comma, and at times an
  "and". There is no comment, so that only the abstract can say that a paper was withdrawn.
- The day is that of the announcement. For a new paper it is when it was published; one that is
  cross-listed (`cross`) may have been published long ago, so its day is left open.

A revision (`replace`, `replace-cross`) becomes a record without a title: it adds to a paper that is
known here, and is rejected with that reason otherwise. Half of a feed are revisions of old papers,
which are no news; when their titles change, the other services of arXiv tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element

from papers.sources import (
    FetchRequest,
    InvalidResponseError,
    Record,
    SourceResponse,
    arxiv_common,
    xml,
)
from papers.sources.http import SourceClient
from papers.sources.json_values import RejectedItemError, parse_items
from papers.topics import categories

# So that the busiest together stay below what a feed holds.
CATEGORIES_PER_REQUEST = 3
ERROR_TITLE = "Feed error for query"
DESCRIPTION_PREFIX = re.compile(
    r"arXiv:\S+\s+Announce\s+Type:\s*(?P<type>[\w-]+)\s*(?:Abstract:\s*)?", re.IGNORECASE
)


class ArxivRss:
    name = "arxiv-rss"
    title = "arXiv feeds"
    pacing = arxiv_common.PACING

    def __init__(self, client: SourceClient) -> None:
        self.client = arxiv_common.xml_client(client)

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        """Today's announcements in the categories; those of other days cannot be asked for."""
        names = arxiv_common.valid_categories(request.categories)
        for start in range(0, len(names), CATEGORIES_PER_REQUEST):
            together = "+".join(names[start : start + CATEGORIES_PER_REQUEST])
            yield arxiv_common.fetch_and_parse(self.client, f"rss/{together}", {}, self.parse)

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        root = xml.parse_xml(body)
        channel = root.find("channel") if root.tag == "rss" else root
        if channel is None or root.tag not in {"rss", "feed"}:
            raise InvalidResponseError(f"The answer is <{root.tag[:40]}>, not a feed of arXiv's.")
        if xml.first_text(channel, "title").startswith(ERROR_TITLE):
            raise arxiv_common.ArxivError(
                self.title, xml.first_text(channel, "description", "subtitle")
            )
        items = [*channel.iterfind("item"), *channel.iterfind("entry")]
        return parse_items(items, parse_item, self.title)


def parse_item(item: Element) -> Record:
    """An item of RSS or an entry of Atom as a record; raises Rejected."""
    number = arxiv_common.require_arxiv_id(
        xml.first_text(item, "guid", "id"), xml.first_text(item, "link")
    )
    description = xml.first_text(item, "description", "summary")
    beginning = DESCRIPTION_PREFIX.match(description)
    abstract = description[beginning.end() :] if beginning else description
    kind = xml.first_text(item, "announce_type") or (beginning["type"] if beginning else "")
    if not kind:
        raise RejectedItemError("no announce type")
    is_revision = kind.lower().startswith("replace")
    if not (title := xml.first_text(item, "title")) and not is_revision:
        raise RejectedItemError("no title")
    announced = xml.first_text(item, "pubDate", "published")
    return Record(
        arxiv_id=number,
        doi=arxiv_common.first_publisher_doi(xml.first_text(item, "DOI")),
        title="" if is_revision else title,
        abstract=abstract,
        authors=arxiv_common.split_author_list(", ".join(xml.all_texts(item, "creator"))),
        categories=tuple(categories.canonical_ids(category_terms(item))),
        published_on=xml.parse_date(announced) if kind.lower() == "new" else None,
        updated_at=xml.parse_datetime(announced),
        withdrawn=arxiv_common.mentions_withdrawal("", abstract) or None,
        code_url=arxiv_common.code_url(abstract),
    )


def category_terms(item: Element) -> list[str]:
    """What it is filed under, the primary one first: texts in RSS, attributes in Atom."""
    return [each.get("term") or (each.text or "").strip() for each in item.iterfind("category")]
