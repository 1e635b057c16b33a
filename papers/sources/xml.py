"""XML from strangers: read whole or refused in one sentence, in bounded time and memory.

The standard library's parser, with what keeps it safe: no document type, and so no entities, no more
elements and no deeper than any real answer. Names come without their namespaces: answers of one
service of arXiv's have had several, and one had none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from papers.sources import InvalidResponseError

# Several times the largest real answer's.
MAX_ELEMENTS = 1_000_000
MAX_DEPTH = 50
# Attributes are compared with each other before anybody is asked, and each has two of these.
MAX_QUOTE_CHARS = 1_000_000
# A document type stands at the beginning, so little is read before it is seen. Then twice as much
# each time: older expats read a tag that is not whole yet from its beginning, whenever more comes.
INITIAL_CHUNK_BYTES = 64 * 1024
# They stand in some abstracts, and no XML may hold them: one would cost the whole answer.
CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\r"))
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


class BoundedTreeBuilder(TreeBuilder):
    """Builds the tree, and stops at what no answer has."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = self.element_count = 0

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        if name.lower() == "html":
            raise InvalidResponseError("The answer is a web page, not XML.")
        raise InvalidResponseError("The answer declares a document type, as no real one does.")

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
    """The root of an answer; raises MalformedAnswer."""
    body = body.strip()
    if not body.startswith(BYTE_ORDER_MARKS):
        body = body.translate(None, CONTROL_BYTES)
    if not body:
        raise InvalidResponseError("The answer is empty.")
    if body.count(b'"') + body.count(b"'") > MAX_QUOTE_CHARS:
        raise InvalidResponseError("The answer has more quotation marks than any real one.")
    parser = XMLParser(target=BoundedTreeBuilder())
    try:
        for step in chunks(body):
            parser.feed(step)
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
    start, size = 0, INITIAL_CHUNK_BYTES
    while start < len(body):
        yield body[start : start + size]
        start, size = start + size, size * 2


def strip_namespace(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]


def first_text(element: Element, *paths: str) -> str:
    """The first text that is not empty at one of the paths."""
    found = ((element.findtext(path) or "").strip() for path in paths)
    return next(filter(None, found), "")


def all_texts(element: Element, path: str) -> list[str]:
    """All texts at a path that are not empty."""
    found = ((each.text or "").strip() for each in element.iterfind(path))
    return [each for each in found if each]


def parse_datetime(value: str) -> datetime | None:
    """A moment in UTC, written as in Atom (2026-06-03T01:02:03Z) or as in RSS and email."""
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        try:
            read = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
    try:
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except OverflowError:
        return None


def parse_date(value: str) -> date | None:
    read = parse_datetime(value)
    return read.date() if read else None
