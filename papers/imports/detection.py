"""Which kind of file it is, by its content and its name, and what its bytes say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath

from papers.imports import Brought, Unreadable, bibtex, jsonlines, plain, table

PARSERS: dict[str, Callable[[str], Brought]] = {
    "jsonl": jsonlines.parse,
    "csv": table.parse,
    "bibtex": bibtex.parse,
    "text": plain.parse,
}
ENDINGS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".bib": "bibtex",
    ".bibtex": "bibtex",
}
# How files begin that are no text, and what to do with them.
SIGNATURES = (
    (b"\x1f\x8b", "is packed with gzip: unpack it first"),
    (b"PK\x03\x04", "is a zip archive or an office document: save it as CSV, or unpack it, first"),
    (b"%PDF", "is a PDF: save its text first"),
    (b"\xd0\xcf\x11\xe0", "is an office document: save it as CSV first"),
)
JSON = re.compile(r'\s*(?:\{\s*["}]|\[\s*["{\]])')
BIBTEX = re.compile(r"^\s*@[A-Za-z]+\s*[{(]", re.MULTILINE)
MARKUP = re.compile(r"\s*<(?:\?xml|!doctype|html|feed|rss|oai-pmh)\b", re.IGNORECASE)
# Of a text at most one character in so many is a control character.
RARE = 200
BEGINNING = 20_000


def read(body: bytes, *, name: str = "", format: str = "") -> Brought:
    """The papers of a file; Unreadable if there is none."""
    text = decoded(body)
    if MARKUP.match(text):
        raise Unreadable(
            "The file is a web page or XML. A source's saved answer is for fetch_papers "
            "--from-file; of a page save the text."
        )
    brought = PARSERS[format or format_of(text, name)](text)
    if not brought.records:
        why = next(iter(brought.rejected), "")
        raise Unreadable(brought.cut_off or f"The file holds no paper{f' ({why})' if why else ''}.")
    return brought


def format_of(text: str, name: str) -> str:
    """By the content where that leaves no doubt, else by the name's ending, else plain text."""
    if JSON.match(text):
        return "jsonl"
    if table.header_of(text[:BEGINNING]):
        return "csv"
    if BIBTEX.search(text[:BEGINNING]):
        return "bibtex"
    return ENDINGS.get(PurePath(name).suffix.lower(), "text")


def decoded(body: bytes) -> str:
    """The text in UTF-8 or UTF-16, or in the one that old Windows programs write."""
    for signature, advice in SIGNATURES:
        if body.startswith(signature):
            raise Unreadable(f"The file {advice}.")
    text = text_of(body)
    if not text.strip():
        raise Unreadable("The file is empty.")
    controls = len(re.findall(r"[\x00-\x08\x0e-\x1f\x7f]", text[:BEGINNING]))
    if "\x00" in text or controls * RARE > len(text[:BEGINNING]):
        raise Unreadable("The file is not text.")
    return text


def text_of(body: bytes) -> str:
    encodings = ["utf-8-sig", "cp1252"]
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable("The file is not text.")
