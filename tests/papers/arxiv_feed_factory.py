"""Where a feed breaks RFC 4287: what a feed validator would say of it, in sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

ATOM_NAMESPACE = "{http://www.w3.org/2005/Atom}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
EXACTLY_ONCE_ELEMENTS = ("id", "title", "updated")
AT_MOST_ONCE_ELEMENTS = (
    "subtitle",
    "summary",
    "content",
    "rights",
    "published",
    "generator",
    "icon",
    "logo",
)
# RFC 3339 with capital letters, as section 3.3 demands.
RFC3339_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# RFC 3986: what may stand in an address as it is.
ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
UNSAFE_HTML_TAGS = {"script", "iframe", "object", "embed", "style", "form", "meta"}


def find_feed_errors(document: bytes) -> list[str]:
    feed = ElementTree.fromstring(document)
    if feed.tag != f"{ATOM_NAMESPACE}feed":
        return [f"The root is {feed.tag}."]
    entries = feed.findall(f"{ATOM_NAMESPACE}entry")
    found = element_errors(feed)
    if not [each for each in feed.iterfind(f"{ATOM_NAMESPACE}link") if each.get("rel") == "self"]:
        found.append("The feed does not say where it is itself.")
    if not feed.get(XML_LANG):
        found.append("The feed does not say its language.")
    for entry in entries:
        found += element_errors(entry)
        if (
            feed.find(f"{ATOM_NAMESPACE}author") is None
            and entry.find(f"{ATOM_NAMESPACE}author") is None
        ):
            found.append("An entry has no author, and neither has the feed.")
    ids = Counter(each.findtext(f"{ATOM_NAMESPACE}id") for each in [feed, *entries])
    found += [f"The id {each} is there {times} times." for each, times in ids.items() if times > 1]
    return found


def element_errors(element: Element) -> list[str]:
    return [
        *cardinality_errors(element),
        *value_errors(element),
        *text_construct_errors(element),
        *link_errors(element),
    ]


def cardinality_errors(element: Element) -> Iterator[str]:
    for name in EXACTLY_ONCE_ELEMENTS:
        if len(element.findall(ATOM_NAMESPACE + name)) != 1:
            yield f"{name} must be there exactly once."
    for name in AT_MOST_ONCE_ELEMENTS:
        if len(element.findall(ATOM_NAMESPACE + name)) > 1:
            yield f"{name} must be there once at most."


def value_errors(element: Element) -> Iterator[str]:
    for name in ("updated", "published"):
        for each in element.iterfind(ATOM_NAMESPACE + name):
            if not RFC3339_DATETIME.fullmatch(each.text or ""):
                yield f"{each.text!r} is not a moment."
    if not ABSOLUTE_URI.fullmatch(element.findtext(f"{ATOM_NAMESPACE}id") or ""):
        yield f"{element.findtext(f'{ATOM_NAMESPACE}id')!r} is not an address."
    for person in element.iterfind(f"{ATOM_NAMESPACE}author"):
        if not (person.findtext(f"{ATOM_NAMESPACE}name") or "").strip():
            yield "An author has no name."
    if any(not each.get("term") for each in element.iterfind(f"{ATOM_NAMESPACE}category")):
        yield "A category has no term."


def text_construct_errors(element: Element) -> Iterator[str]:
    for name in ("title", "subtitle", "summary"):
        for each in element.iterfind(ATOM_NAMESPACE + name):
            kind = each.get("type", "text")
            if kind not in {"text", "html"}:
                yield f"{name} has the type {kind}."
            if len(each):
                yield f"{name} has elements in it."
            if kind == "html":
                yield from unsafe_html_errors(each.text or "")
    if not (element.findtext(f"{ATOM_NAMESPACE}title") or "").strip():
        yield "The title is empty."


def link_errors(element: Element) -> Iterator[str]:
    links = element.findall(f"{ATOM_NAMESPACE}link")
    for each in links:
        address = each.get("href", "")
        if not ABSOLUTE_URI.fullmatch(address) or urlsplit(address).scheme not in {"http", "https"}:
            yield f"{address!r} is not an address to follow."
    alternate = [each for each in links if each.get("rel", "alternate") == "alternate"]
    kinds = Counter((each.get("type"), each.get("hreflang")) for each in alternate)
    if not alternate or max(kinds.values()) > 1:
        yield "There must be one page that this is about, and not two of a kind."


def unsafe_html_errors(html: str) -> list[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag in UNSAFE_HTML_TAGS or any(name.startswith("on") for name, _ in attrs):
                found.append(f"<{tag}> is not to be shown by a reader.")

    Reader().feed(html)
    return found
