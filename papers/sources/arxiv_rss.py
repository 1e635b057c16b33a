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

from papers.sources import Answer, MalformedAnswer, Record, Wanted, arxiv_common, xml
from papers.sources.http import Client
from papers.sources.json_values import Rejected, answer_of
from papers.topics import categories

# So that the busiest together stay below what a feed holds.
CATEGORIES_AT_ONCE = 3
ERROR_TITLE = "Feed error for query"
BEGINNING = re.compile(
    r"arXiv:\S+\s+Announce\s+Type:\s*(?P<type>[\w-]+)\s*(?:Abstract:\s*)?", re.IGNORECASE
)


class ArxivRss:
    name = "arxiv-rss"
    title = "arXiv feeds"
    turns = arxiv_common.TURNS

    def __init__(self, client: Client) -> None:
        self.client = arxiv_common.xml_from(client)

    def fetch(self, wanted: Wanted) -> Iterator[Answer]:
        """Today's announcements in the categories; those of other days cannot be asked for."""
        names = arxiv_common.known(wanted.categories)
        for start in range(0, len(names), CATEGORIES_AT_ONCE):
            together = "+".join(names[start : start + CATEGORIES_AT_ONCE])
            yield arxiv_common.get(self.client, f"rss/{together}", {}, self.parse)

    def parse(self, body: bytes, *, day: date | None = None) -> Answer:
        root = xml.tree(body)
        channel = root.find("channel") if root.tag == "rss" else root
        if channel is None or root.tag not in {"rss", "feed"}:
            raise MalformedAnswer(f"The answer is <{root.tag[:40]}>, not a feed of arXiv's.")
        if xml.text(channel, "title").startswith(ERROR_TITLE):
            raise arxiv_common.ErrorAnswer(self.title, xml.text(channel, "description", "subtitle"))
        items = [*channel.iterfind("item"), *channel.iterfind("entry")]
        return answer_of(items, read, self.title)


def read(item: Element) -> Record:
    """An item of RSS or an entry of Atom as a record; raises Rejected."""
    number = arxiv_common.number(xml.text(item, "guid", "id"), xml.text(item, "link"))
    description = xml.text(item, "description", "summary")
    beginning = BEGINNING.match(description)
    abstract = description[beginning.end() :] if beginning else description
    kind = xml.text(item, "announce_type") or (beginning["type"] if beginning else "")
    if not kind:
        raise Rejected("no announce type")
    is_revision = kind.lower().startswith("replace")
    if not (title := xml.text(item, "title")) and not is_revision:
        raise Rejected("no title")
    announced = xml.text(item, "pubDate", "published")
    return Record(
        arxiv_id=number,
        doi=arxiv_common.doi(xml.text(item, "DOI")),
        title="" if is_revision else title,
        abstract=abstract,
        authors=arxiv_common.names(", ".join(xml.texts(item, "creator"))),
        categories=tuple(categories.canonicals(terms(item))),
        published_on=xml.day(announced) if kind.lower() == "new" else None,
        updated_at=xml.moment(announced),
        withdrawn=arxiv_common.withdrawn("", abstract) or None,
        code_url=arxiv_common.code_url(abstract),
    )


def terms(item: Element) -> list[str]:
    """What it is filed under, the primary one first: texts in RSS, attributes in Atom."""
    return [each.get("term") or (each.text or "").strip() for each in item.iterfind("category")]
