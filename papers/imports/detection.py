"""Detect the format and the encoding of a file, and parse it."""

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
# How files that are not text begin, and what the user can do.
UNSUPPORTED_SIGNATURES = (
    (b"\x1f\x8b", "is packed with gzip: unpack it first"),
    (b"PK\x03\x04", "is a zip archive or an office document: save it as CSV, or unpack it, first"),
    (b"%PDF", "is a PDF: save its text first"),
    (b"\xd0\xcf\x11\xe0", "is an office document: save it as CSV first"),
)
JSON_START = re.compile(r'\s*(?:\{\s*["}]|\[\s*["{\]])')
BIBTEX_ENTRY = re.compile(r"^\s*@[A-Za-z]+\s*[{(]", re.MULTILINE)
MARKUP_START = re.compile(r"\s*<(?:\?xml|!doctype|html|feed|rss|oai-pmh)\b", re.IGNORECASE)
# A file with more control characters is not text.
MIN_CHARS_PER_CONTROL_CHAR = 200
SNIFF_CHARS = 20_000


def parse_file(body: bytes, *, file_name: str = "", format: str = "") -> ParsedFile:
    """Return the papers of a file; raise InvalidImportFileError if it has none."""
    text = decode_text(body)
    if MARKUP_START.match(text):
        raise InvalidImportFileError(
            "The file is a web page or XML. Save a page as text; pass the saved response of a "
            "source to fetch_papers --from-file."
        )
    parsed_file = PARSERS[format or detect_format(text, file_name)](text)
    if not parsed_file.records:
        reason = f" ({parsed_file.rejected[0]})" if parsed_file.rejected else ""
        raise InvalidImportFileError(
            parsed_file.truncation_error or f"The file has no papers{reason}."
        )
    return parsed_file


def detect_format(text: str, file_name: str) -> str:
    """Return the format by unambiguous content, else by the file name, else plain text."""
    if JSON_START.match(text):
        return "jsonl"
    if table.find_header(text[:SNIFF_CHARS]):
        return "csv"
    if BIBTEX_ENTRY.search(text[:SNIFF_CHARS]):
        return "bibtex"
    return FORMAT_BY_EXTENSION.get(PurePath(file_name).suffix.lower(), "text")


def decode_text(body: bytes) -> str:
    """Return the text of a file; raise InvalidImportFileError for an empty or a binary file."""
    for signature, advice in UNSUPPORTED_SIGNATURES:
        if body.startswith(signature):
            raise InvalidImportFileError(f"The file {advice}.")
    text = try_encodings(body)
    if not text.strip():
        raise InvalidImportFileError("The file is empty.")
    control_chars = len(re.findall(r"[\x00-\x08\x0e-\x1f\x7f]", text[:SNIFF_CHARS]))
    if "\x00" in text or control_chars * MIN_CHARS_PER_CONTROL_CHAR > len(text[:SNIFF_CHARS]):
        raise InvalidImportFileError("The file is not text.")
    return text


def try_encodings(body: bytes) -> str:
    """Decode UTF-8, UTF-16 with a byte order mark, or the encoding of old Windows programs."""
    encodings = ["utf-8-sig", "cp1252"]
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidImportFileError("The file is not text.")
