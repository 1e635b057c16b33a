"""CSV, with commas, semicolons or tabs: a paper on each line, under a line that names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from papers.imports import Brought, Unreadable, columns
from papers.sources import Record
from papers.sources.json_values import Rejected

DELIMITERS = ",;\t|"
# Lines above the names of the columns, as some programs write them.
MOST_ABOVE = 10
KNOWN = frozenset(name for names in columns.NAMES.values() for name in names)
MISPLACED_QUOTE = "a quotation mark in the wrong place"


@dataclass(frozen=True, slots=True)
class Header:
    names: tuple[str, ...]
    delimiter: str
    # On which line it stands.
    line: int


class EndsInQuotes(Rejected):
    """The last field is not closed."""


def parse(text: str) -> Brought:
    header = header_of(text) or header_of(text, alone=True)
    if header is None:
        raise Unreadable(
            "The file has no line that names its columns: 'title', and as far as there are any "
            "'abstract', 'authors', 'arxiv_id', 'doi', 'date'."
        )
    records: list[Record] = []
    rejected: list[str] = []
    cut_off = ""
    for line, cells in rows(text, header.delimiter):
        try:
            if line > header.line and (row := named(header, cells)):
                records.append(columns.record(row))
        except EndsInQuotes:
            cut_off = f"The file breaks off: a quotation mark in line {line} is not closed."
        except Rejected as reason:
            rejected.append(f"line {line}: {reason}")
    return Brought(records=tuple(records), rejected=tuple(rejected), cut_off=cut_off)


def header_of(text: str, *, alone: bool = False) -> Header | None:
    """The line near the beginning with a column for titles, and unless alone one that we know."""
    found = [header for each in DELIMITERS if (header := header_with(text, each, alone=alone))]
    return max(found, key=lambda header: len(header.names), default=None)


def header_with(text: str, delimiter: str, *, alone: bool) -> Header | None:
    for line, cells in islice(rows(text, delimiter), MOST_ABOVE):
        names = tuple(map(columns.folded, cells)) if isinstance(cells, list) else ()
        titles = set(names) & set(columns.NAMES["title"])
        if titles and (alone or len(set(names) & KNOWN) > 1):
            return Header(names, delimiter, line)
    return None


def rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | Rejected]]:
    """The cells of each row, or why it is none, with the line that it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            ends = "end of data" in str(error)
            yield line, EndsInQuotes() if ends else Rejected(MISPLACED_QUOTE)


def named(header: Header, cells: list[str] | Rejected) -> dict[str, str]:
    """The cells by their columns' names; empty for an empty row and a header that comes again."""
    if isinstance(cells, Rejected):
        raise cells
    if tuple(map(columns.folded, cells)) == header.names:
        return {}
    if any(cell.strip() for cell in cells[len(header.names) :]):
        raise Rejected("more fields than columns")
    row: dict[str, str] = {}
    for name, cell in zip(header.names, cells, strict=False):
        if cell.strip():
            row.setdefault(name, cell)
    return row
