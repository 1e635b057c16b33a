"""Parse JSON Lines, with one paper per line, or one JSON document with the papers in a list."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from papers.imports import InvalidImportFileError, ParsedFile, columns
from papers.sources import Record
from papers.sources.json_values import RejectedItemError

# Where a document may have its list.
LIST_KEYS = ("papers", "data", "results", "items", "records", "recommendedPapers")
JSON_DECODER = json.JSONDecoder()
NOT_JSON_REASON = "not JSON"


def parse_json_lines(text: str) -> ParsedFile:
    """Parse the papers of a text; raise InvalidImportFileError if it is not JSON."""
    text = text.strip("\ufeff \t\r\n")
    if text.startswith("["):
        return parse_array(text)
    first, *others = lines = text.split("\n")
    if others and (try_json(first) is not None or others[0].startswith("{")):
        return parse_lines(lines)
    return parse_document(text)


def parse_lines(lines: list[str]) -> ParsedFile:
    entries = [(f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    truncation_error = ""
    if try_json(entries[-1][1]) is None and len(entries) > 1:
        place, _ = entries.pop()
        truncation_error = f"The file is cut off: {place} is not complete JSON."
    return parse_entries(((place, try_json(line)) for place, line in entries), truncation_error)


def parse_array(text: str) -> ParsedFile:
    """Parse the entries of a JSON array one by one, so that those before a defect are kept."""
    entries: list[tuple[str, Any]] = []
    truncation_error = ""
    position = skip_separators(text, len("["))
    while position < len(text) and text[position] != "]":
        place = f"entry {len(entries) + 1}"
        try:
            value, position = JSON_DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            truncation_error = f"The file is cut off, or is not JSON, in {place}."
            break
        entries.append((place, value))
        position = skip_separators(text, position)
    else:
        if position >= len(text):
            truncation_error = f"The file is cut off after entry {len(entries)}."
    return parse_entries(entries, truncation_error)


def skip_separators(text: str, position: int) -> int:
    """Return the position of the next character that is neither white space nor a comma."""
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def parse_document(text: str) -> ParsedFile:
    """Parse one object: a paper, or a list of papers under one of the usual keys."""
    document = try_json(text)
    if not isinstance(document, dict):
        raise InvalidImportFileError("The file is not JSON, or is cut off.")
    key = next((key for key in LIST_KEYS if isinstance(document.get(key), list)), None)
    entries = document[key] if key else [document]
    return parse_entries(((f"entry {n}", entry) for n, entry in enumerate(entries, 1)), "")


def try_json(line: str) -> Any:
    """Return the value of a text; None if it is not JSON, as for null."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def parse_entries(entries: Iterable[tuple[str, Any]], truncation_error: str) -> ParsedFile:
    """Return the records of the values, and the rejected ones with their places."""
    records: list[Record] = []
    rejected: list[str] = []
    for place, value in entries:
        try:
            records.append(parse_entry(value))
        except RejectedItemError as reason:
            rejected.append(f"{place}: {reason}")
    return ParsedFile(
        records=tuple(records), rejected=tuple(rejected), truncation_error=truncation_error
    )


def parse_entry(value: Any) -> Record:
    if value is None:
        raise RejectedItemError(NOT_JSON_REASON)
    if not isinstance(value, dict):
        raise RejectedItemError("not an object")
    return columns.build_record(value)
