"""JSON Lines, an object for each paper on its line; or the objects as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from papers.imports import Brought, Unreadable, columns
from papers.sources import Record
from papers.sources.json_values import Rejected

# Where documents keep their list.
LISTS = ("papers", "data", "results", "items", "records", "recommendedPapers")
DECODER = json.JSONDecoder()
NOT_JSON = "not JSON"


def parse(text: str) -> Brought:
    text = text.strip("\ufeff \t\r\n")
    if text.startswith("["):
        return array(text, 0)
    first, *others = lines = text.split("\n")
    if others and (loaded(first) is not None or others[0].startswith("{")):
        return from_lines(lines)
    return document(text)


def from_lines(lines: list[str]) -> Brought:
    values = [(f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    cut_off = ""
    if loaded(values[-1][1]) is None and len(values) > 1:
        place, _ = values.pop()
        cut_off = f"The file breaks off: {place} is not JSON to its end."
    return taken(((place, loaded(line)) for place, line in values), cut_off)


def array(text: str, start: int) -> Brought:
    """The entries of the list that begins there, up to where it breaks off."""
    cut_off = ""

    def entries() -> Iterator[tuple[str, Any]]:
        nonlocal cut_off
        at, number = start + 1, 0
        while (at := after_blanks(text, at)) < len(text) and text[at] != "]":
            number += 1
            try:
                value, at = DECODER.raw_decode(text, at)
            except (ValueError, RecursionError):
                cut_off = f"The file breaks off, or is no JSON, in entry {number}."
                return
            yield f"entry {number}", value
        if at >= len(text):
            cut_off = f"The file breaks off after entry {number}."

    found = taken(entries(), "")
    return Brought(records=found.records, rejected=found.rejected, cut_off=cut_off)


def after_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def document(text: str) -> Brought:
    """One object: a paper, or papers in a list."""
    value = loaded(text)
    if not isinstance(value, dict):
        raise Unreadable("The file is not JSON, or breaks off.")
    name = next((name for name in LISTS if isinstance(value.get(name), list)), None)
    entries = value[name] if name else [value]
    return taken(((f"entry {number}", each) for number, each in enumerate(entries, 1)), "")


def loaded(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def taken(entries: Iterable[tuple[str, Any]], cut_off: str) -> Brought:
    records: list[Record] = []
    rejected: list[str] = []
    for place, value in entries:
        try:
            records.append(read(value))
        except Rejected as reason:
            rejected.append(f"{place}: {reason}")
    return Brought(records=tuple(records), rejected=tuple(rejected), cut_off=cut_off)


def read(value: Any) -> Record:
    if value is None:
        raise Rejected(NOT_JSON)
    if not isinstance(value, dict):
        raise Rejected("no object")
    return columns.record(value)
