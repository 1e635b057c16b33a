"""arXiv's daily feeds: the papers announced in a category the evening before.

The RSS 2.0 and Atom feeds have the same content. Observed in feeds of 2025 and in the source code
of the service, contrary to or missing from the documentation:

- A feed is rebuilt at midnight in New York and holds that day only: a missed day is lost. On
  Saturdays, Sundays and arXiv's holidays it is empty, with status 200.
- A feed of several categories holds each paper once, and at most 2,000 papers.
- An error is a feed titled "Feed error for query" whose description is the message.
- An item's description begins with the id and the type of announcement; the abstract follows.
- All authors are one text, with affiliations in parentheses, "Jr." after a comma, and sometimes an
  "and". There is no comment, so only the abstract can state a withdrawal.
- The date is that of the announcement. A new paper was published on that day; a cross-listed one
  (`cross`) may have been published long before, so its date stays unknown.

A revision (`replace`, `replace-cross`) becomes a record without a title, which can only update a
stored paper. Half of a feed are revisions of old papers, and these are not news. A changed title
comes from arXiv's other services.
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

# The busiest three together stay below the limit of a feed.
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
        """Yield today's announcements in the categories. There are no feeds of other days."""
        names = arxiv_common.valid_categories(request.categories)
        for start in range(0, len(names), CATEGORIES_PER_REQUEST):
            joined = "+".join(names[start : start + CATEGORIES_PER_REQUEST])
            yield arxiv_common.fetch_and_parse(self.client, f"rss/{joined}", {}, self.parse)

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
    """Return the record of an RSS item or an Atom entry; raise RejectedItemError."""
    arxiv_id = arxiv_common.require_arxiv_id(
        xml.first_text(item, "guid", "id"), xml.first_text(item, "link")
    )
    description = xml.first_text(item, "description", "summary")
    prefix = DESCRIPTION_PREFIX.match(description)
    abstract = description[prefix.end() :] if prefix else description
    announce_type = xml.first_text(item, "announce_type") or (prefix["type"] if prefix else "")
    if not announce_type:
        raise RejectedItemError("no announce type")
    is_revision = announce_type.lower().startswith("replace")
    if not (title := xml.first_text(item, "title")) and not is_revision:
        raise RejectedItemError("no title")
    announced_at = xml.first_text(item, "pubDate", "published")
    return Record(
        arxiv_id=arxiv_id,
        doi=arxiv_common.first_publisher_doi(xml.first_text(item, "DOI")),
        title="" if is_revision else title,
        abstract=abstract,
        authors=arxiv_common.split_author_list(", ".join(xml.all_texts(item, "creator"))),
        categories=tuple(categories.canonical_ids(category_terms(item))),
        published_on=xml.parse_date(announced_at) if announce_type.lower() == "new" else None,
        updated_at=xml.parse_datetime(announced_at),
        withdrawn=arxiv_common.mentions_withdrawal("", abstract) or None,
        code_url=arxiv_common.code_url(abstract),
    )


def category_terms(item: Element) -> list[str]:
    """Return the categories, the primary one first: an attribute in Atom, the text in RSS."""
    elements = item.iterfind("category")
    return [element.get("term") or (element.text or "").strip() for element in elements]
