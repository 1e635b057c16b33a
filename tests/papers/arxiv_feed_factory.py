"""Validate Atom feeds against RFC 4287."""

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
# RFC 3986: the characters that need no escaping.
ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
UNSAFE_HTML_TAGS = {"script", "iframe", "object", "embed", "style", "form", "meta"}


def find_feed_errors(document: bytes) -> list[str]:
    """Return a sentence for each violation."""
    feed = ElementTree.fromstring(document)
    if feed.tag != f"{ATOM_NAMESPACE}feed":
        return [f"The root is {feed.tag}."]
    entries = feed.findall(f"{ATOM_NAMESPACE}entry")
    errors = element_errors(feed)
    if "self" not in [link.get("rel") for link in feed.iterfind(f"{ATOM_NAMESPACE}link")]:
        errors.append("The feed does not say where it is itself.")
    if not feed.get(XML_LANG):
        errors.append("The feed does not say its language.")
    for entry in entries:
        errors += element_errors(entry)
        if (
            feed.find(f"{ATOM_NAMESPACE}author") is None
            and entry.find(f"{ATOM_NAMESPACE}author") is None
        ):
            errors.append("An entry has no author, and neither has the feed.")
    ids = Counter(element.findtext(f"{ATOM_NAMESPACE}id") for element in [feed, *entries])
    errors += [f"The id {id_} is there {count} times." for id_, count in ids.items() if count > 1]
    return errors


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
        for child in element.iterfind(ATOM_NAMESPACE + name):
            if not RFC3339_DATETIME.fullmatch(child.text or ""):
                yield f"{child.text!r} is not a moment."
    if not ABSOLUTE_URI.fullmatch(element.findtext(f"{ATOM_NAMESPACE}id") or ""):
        yield f"{element.findtext(f'{ATOM_NAMESPACE}id')!r} is not an address."
    for person in element.iterfind(f"{ATOM_NAMESPACE}author"):
        if not (person.findtext(f"{ATOM_NAMESPACE}name") or "").strip():
            yield "An author has no name."
    if any(not child.get("term") for child in element.iterfind(f"{ATOM_NAMESPACE}category")):
        yield "A category has no term."


def text_construct_errors(element: Element) -> Iterator[str]:
    for name in ("title", "subtitle", "summary"):
        for child in element.iterfind(ATOM_NAMESPACE + name):
            text_type = child.get("type", "text")
            if text_type not in {"text", "html"}:
                yield f"{name} has the type {text_type}."
            if len(child):
                yield f"{name} has child elements."
            if text_type == "html":
                yield from unsafe_html_errors(child.text or "")
    if not (element.findtext(f"{ATOM_NAMESPACE}title") or "").strip():
        yield "The title is empty."


def link_errors(element: Element) -> Iterator[str]:
    links = element.findall(f"{ATOM_NAMESPACE}link")
    for link in links:
        url = link.get("href", "")
        if not ABSOLUTE_URI.fullmatch(url) or urlsplit(url).scheme not in {"http", "https"}:
            yield f"{url!r} is not an address to follow."
    alternate = [link for link in links if link.get("rel", "alternate") == "alternate"]
    variants = Counter((link.get("type"), link.get("hreflang")) for link in alternate)
    if not alternate or max(variants.values()) > 1:
        yield "There must be one page that this is about, and not two of a kind."


def unsafe_html_errors(html: str) -> list[str]:
    errors: list[str] = []

    class TagChecker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag in UNSAFE_HTML_TAGS or any(name.startswith("on") for name, _ in attrs):
                errors.append(f"<{tag}> is not to be shown by a reader.")

    TagChecker().feed(html)
    return errors
