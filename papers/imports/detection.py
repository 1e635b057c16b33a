"""Which kind of file it is, by its content and its name, and what its bytes say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath

from papers.imports import InvalidImportFileError, ParsedFile, bibtex, jsonlines, plain, table

PARSERS: dict[str, Callable[[str], ParsedFile]] = {
    "jsonl": jsonlines.parse_json_lines,
    "csv": table.parse_csv,
    "bibtex": bibtex.parse_bibtex,
    "text": plain.parse_plain_text,
}
FORMAT_BY_EXTENSION = {
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
UNSUPPORTED_SIGNATURES = (
    (b"\x1f\x8b", "is packed with gzip: unpack it first"),
    (b"PK\x03\x04", "is a zip archive or an office document: save it as CSV, or unpack it, first"),
    (b"%PDF", "is a PDF: save its text first"),
    (b"\xd0\xcf\x11\xe0", "is an office document: save it as CSV first"),
)
JSON_START = re.compile(r'\s*(?:\{\s*["}]|\[\s*["{\]])')
BIBTEX_ENTRY = re.compile(r"^\s*@[A-Za-z]+\s*[{(]", re.MULTILINE)
MARKUP_START = re.compile(r"\s*<(?:\?xml|!doctype|html|feed|rss|oai-pmh)\b", re.IGNORECASE)
# Of a text at most one character in so many is a control character.
MIN_CHARS_PER_CONTROL_CHAR = 200
SNIFF_CHARS = 20_000


def parse_file(body: bytes, *, file_name: str = "", format: str = "") -> ParsedFile:
    """The papers of a file; Unreadable if there is none."""
    text = decode_text(body)
    if MARKUP_START.match(text):
        raise InvalidImportFileError(
            "The file is a web page or XML. A source's saved answer is for fetch_papers "
            "--from-file; of a page save the text."
        )
    brought = PARSERS[format or detect_format(text, file_name)](text)
    if not brought.records:
        why = next(iter(brought.rejected), "")
        raise InvalidImportFileError(
            brought.truncation_error or f"The file holds no paper{f' ({why})' if why else ''}."
        )
    return brought


def detect_format(text: str, file_name: str) -> str:
    """By the content where that leaves no doubt, else by the name's ending, else plain text."""
    if JSON_START.match(text):
        return "jsonl"
    if table.find_header(text[:SNIFF_CHARS]):
        return "csv"
    if BIBTEX_ENTRY.search(text[:SNIFF_CHARS]):
        return "bibtex"
    return FORMAT_BY_EXTENSION.get(PurePath(file_name).suffix.lower(), "text")


def decode_text(body: bytes) -> str:
    """The text in UTF-8 or UTF-16, or in the one that old Windows programs write."""
    for signature, advice in UNSUPPORTED_SIGNATURES:
        if body.startswith(signature):
            raise InvalidImportFileError(f"The file {advice}.")
    text = try_encodings(body)
    if not text.strip():
        raise InvalidImportFileError("The file is empty.")
    controls = len(re.findall(r"[\x00-\x08\x0e-\x1f\x7f]", text[:SNIFF_CHARS]))
    if "\x00" in text or controls * MIN_CHARS_PER_CONTROL_CHAR > len(text[:SNIFF_CHARS]):
        raise InvalidImportFileError("The file is not text.")
    return text


def try_encodings(body: bytes) -> str:
    encodings = ["utf-8-sig", "cp1252"]
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidImportFileError("The file is not text.")
