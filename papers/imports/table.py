"""CSV, with commas, semicolons or tabs: a paper on each line, under a line that names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from papers.imports import InvalidImportFileError, ParsedFile, columns
from papers.sources import Record
from papers.sources.json_values import RejectedItemError

DELIMITERS = ",;\t|"
# Lines above the names of the columns, as some programs write them.
MAX_LINES_ABOVE_HEADER = 10
KNOWN_COLUMNS = frozenset(name for names in columns.COLUMN_ALIASES.values() for name in names)
MISPLACED_QUOTE_REASON = "a quotation mark in the wrong place"


@dataclass(frozen=True, slots=True)
class TableHeader:
    column_names: tuple[str, ...]
    delimiter: str
    # On which line it stands.
    line_number: int


class UnterminatedQuoteError(RejectedItemError):
    """The last field is not closed."""


def parse_csv(text: str) -> ParsedFile:
    header = find_header(text) or find_header(text, title_only=True)
    if header is None:
        raise InvalidImportFileError(
            "The file has no line that names its columns: 'title', and as far as there are any "
            "'abstract', 'authors', 'arxiv_id', 'doi', 'date'."
        )
    records: list[Record] = []
    rejected: list[str] = []
    cut_off = ""
    for line, cells in read_rows(text, header.delimiter):
        try:
            if line > header.line_number and (row := cells_by_column(header, cells)):
                records.append(columns.build_record(row))
        except UnterminatedQuoteError:
            cut_off = f"The file breaks off: a quotation mark in line {line} is not closed."
        except RejectedItemError as reason:
            rejected.append(f"line {line}: {reason}")
    return ParsedFile(records=tuple(records), rejected=tuple(rejected), truncation_error=cut_off)


def find_header(text: str, *, title_only: bool = False) -> TableHeader | None:
    """The line near the beginning with a column for titles, and unless alone one that we know."""
    found = [
        header
        for each in DELIMITERS
        if (header := find_header_for_delimiter(text, each, title_only=title_only))
    ]
    return max(found, key=lambda header: len(header.column_names), default=None)


def find_header_for_delimiter(text: str, delimiter: str, *, title_only: bool) -> TableHeader | None:
    for line, cells in islice(read_rows(text, delimiter), MAX_LINES_ABOVE_HEADER):
        names = tuple(map(columns.fold_column_name, cells)) if isinstance(cells, list) else ()
        titles = set(names) & set(columns.COLUMN_ALIASES["title"])
        if titles and (title_only or len(set(names) & KNOWN_COLUMNS) > 1):
            return TableHeader(names, delimiter, line)
    return None


def read_rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | RejectedItemError]]:
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
            yield (
                line,
                UnterminatedQuoteError() if ends else RejectedItemError(MISPLACED_QUOTE_REASON),
            )


def cells_by_column(header: TableHeader, cells: list[str] | RejectedItemError) -> dict[str, str]:
    """The cells by their columns' names; empty for an empty row and a header that comes again."""
    if isinstance(cells, RejectedItemError):
        raise cells
    if tuple(map(columns.fold_column_name, cells)) == header.column_names:
        return {}
    if any(cell.strip() for cell in cells[len(header.column_names) :]):
        raise RejectedItemError("more fields than columns")
    row: dict[str, str] = {}
    for name, cell in zip(header.column_names, cells, strict=False):
        if cell.strip():
            row.setdefault(name, cell)
    return row
