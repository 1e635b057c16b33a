"""Parse untrusted XML in bounded time and memory.

Uses the standard library's parser and rejects what makes it unsafe: a document type, and with it
entities; more elements and deeper nesting than any real response has. Namespaces are dropped: one
of arXiv's services has used several over the years, and once none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from papers.sources import InvalidResponseError

# Several times as many as the largest real response has.
MAX_ELEMENTS = 1_000_000
MAX_DEPTH = 50
# The parser compares the attributes of an element with each other before it calls us, in quadratic
# time. Each attribute has two quotation marks.
MAX_QUOTE_CHARS = 1_000_000
# A document type is at the beginning, so the first chunk is small. Each further chunk is twice as
# long: older versions of expat read an unfinished tag again from its beginning with every chunk.
INITIAL_CHUNK_BYTES = 64 * 1024
# Some abstracts contain them although XML forbids it: one would make the whole response unreadable.
CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\r"))
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


class BoundedTreeBuilder(TreeBuilder):
    """Builds the tree; raises InvalidResponseError at what no real response contains."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = self.element_count = 0

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        if name.lower() == "html":
            raise InvalidResponseError("The answer is a web page, not XML.")
        raise InvalidResponseError("The answer declares a document type, which is not allowed.")

    def start(self, tag: str, attributes: dict[str, str], /) -> Element:
        if not self.element_count and strip_namespace(tag).lower() == "html":
            raise InvalidResponseError("The answer is a web page, not XML.")
        self.element_count += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InvalidResponseError("The answer is nested deeper than any real one.")
        if self.element_count > MAX_ELEMENTS:
            raise InvalidResponseError("The answer has more elements than any real one.")
        return super().start(strip_namespace(tag), attributes)

    def end(self, tag: str, /) -> Element:
        self.depth -= 1
        return super().end(strip_namespace(tag))


def parse_xml(body: bytes) -> Element:
    """Return the root element of a response; raise InvalidResponseError."""
    body = body.strip()
    if not body.startswith(BYTE_ORDER_MARKS):
        body = body.translate(None, CONTROL_BYTES)
    if not body:
        raise InvalidResponseError("The answer is empty.")
    if body.count(b'"') + body.count(b"'") > MAX_QUOTE_CHARS:
        raise InvalidResponseError("The answer has more quotation marks than any real one.")
    parser = XMLParser(target=BoundedTreeBuilder())
    try:
        for chunk in chunks(body):
            parser.feed(chunk)
        root: Element = parser.close()
    except InvalidResponseError:
        raise
    except ParseError as error:
        line, column = error.position
        raise InvalidResponseError(
            f"The answer is not XML, or was cut off at line {line}, column {column}."
        ) from None
    except (LookupError, ValueError):
        raise InvalidResponseError("The answer is in an encoding that cannot be read.") from None
    return root


def chunks(body: bytes) -> Iterator[bytes]:
    """Yield the body in parts, each twice as long as the one before."""
    start, size = 0, INITIAL_CHUNK_BYTES
    while start < len(body):
        yield body[start : start + size]
        start, size = start + size, size * 2


def strip_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]


def first_text(element: Element, *paths: str) -> str:
    """Return the first text at one of the paths that is not empty, or ""."""
    texts = ((element.findtext(path) or "").strip() for path in paths)
    return next(filter(None, texts), "")


def all_texts(element: Element, path: str) -> list[str]:
    """Return all texts at a path that are not empty."""
    texts = ((child.text or "").strip() for child in element.iterfind(path))
    return [text for text in texts if text]


def parse_datetime(value: str) -> datetime | None:
    """Return a moment in UTC, written as in Atom (2026-06-03T01:02:03Z) or as in RSS and email."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return None


def parse_date(value: str) -> date | None:
    moment = parse_datetime(value)
    return moment.date() if moment else None
