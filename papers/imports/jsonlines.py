"""JSON Lines, an object for each paper on its line; or the objects as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from papers.imports import InvalidImportFileError, ParsedFile, columns
from papers.sources import Record
from papers.sources.json_values import RejectedItemError

# Where documents keep their list.
LIST_KEYS = ("papers", "data", "results", "items", "records", "recommendedPapers")
JSON_DECODER = json.JSONDecoder()
NOT_JSON_REASON = "not JSON"


def parse_json_lines(text: str) -> ParsedFile:
    text = text.strip("\ufeff \t\r\n")
    if text.startswith("["):
        return parse_array(text, 0)
    first, *others = lines = text.split("\n")
    if others and (try_json(first) is not None or others[0].startswith("{")):
        return parse_lines(lines)
    return parse_document(text)


def parse_lines(lines: list[str]) -> ParsedFile:
    values = [(f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    cut_off = ""
    if try_json(values[-1][1]) is None and len(values) > 1:
        place, _ = values.pop()
        cut_off = f"The file breaks off: {place} is not JSON to its end."
    return parse_entries(((place, try_json(line)) for place, line in values), cut_off)


def parse_array(text: str, start: int) -> ParsedFile:
    """The entries of the list that begins there, up to where it breaks off."""
    cut_off = ""

    def entries() -> Iterator[tuple[str, Any]]:
        nonlocal cut_off
        at, number = start + 1, 0
        while (at := skip_separators(text, at)) < len(text) and text[at] != "]":
            number += 1
            try:
                value, at = JSON_DECODER.raw_decode(text, at)
            except (ValueError, RecursionError):
                cut_off = f"The file breaks off, or is no JSON, in entry {number}."
                return
            yield f"entry {number}", value
        if at >= len(text):
            cut_off = f"The file breaks off after entry {number}."

    found = parse_entries(entries(), "")
    return ParsedFile(records=found.records, rejected=found.rejected, truncation_error=cut_off)


def skip_separators(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def parse_document(text: str) -> ParsedFile:
    """One object: a paper, or papers in a list."""
    value = try_json(text)
    if not isinstance(value, dict):
        raise InvalidImportFileError("The file is not JSON, or breaks off.")
    name = next((name for name in LIST_KEYS if isinstance(value.get(name), list)), None)
    entries = value[name] if name else [value]
    return parse_entries(((f"entry {number}", each) for number, each in enumerate(entries, 1)), "")


def try_json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def parse_entries(entries: Iterable[tuple[str, Any]], truncation_error: str) -> ParsedFile:
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
        raise RejectedItemError("no object")
    return columns.build_record(value)
