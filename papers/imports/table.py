"""Parse CSV with any usual delimiter: one paper per row, below a header that names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from papers.imports import InvalidImportFileError, ParsedFile, columns
from papers.imports.cells import fold_column_name
from papers.sources import Record
from papers.sources.json_values import RejectedItemError

DELIMITERS = ",;\t|"
# Some programs write lines above the header.
MAX_LINES_ABOVE_HEADER = 10
MISPLACED_QUOTE_REASON = "a quotation mark in the wrong place"

# The cells of a row, or why they could not be read.
Row = list[str] | RejectedItemError


@dataclass(frozen=True, slots=True)
class TableHeader:
    column_names: tuple[str, ...]
    delimiter: str
    line_number: int


class UnterminatedQuoteError(RejectedItemError):
    """A quotation mark that is never closed: the rest of the file is one field."""


def parse_csv(text: str) -> ParsedFile:
    """Parse the rows of a text; raise InvalidImportFileError if it has no header."""
    header = find_header(text) or find_header(text, title_only=True)
    if header is None:
        raise InvalidImportFileError(
            "The file has no line that names its columns: 'title', and where you have them "
            "'abstract', 'authors', 'arxiv_id', 'doi', 'date'."
        )
    records: list[Record] = []
    rejected: list[str] = []
    truncation_error = ""
    for line, cells in read_rows(text, header.delimiter):
        try:
            if line > header.line_number and (row := cells_by_column(header, cells)):
                records.append(columns.build_record(row))
        except UnterminatedQuoteError:
            truncation_error = (
                f"The file is cut off: a quotation mark in line {line} is not closed."
            )
        except RejectedItemError as reason:
            rejected.append(f"line {line}: {reason}")
    return ParsedFile(
        records=tuple(records), rejected=tuple(rejected), truncation_error=truncation_error
    )


def find_header(text: str, *, title_only: bool = False) -> TableHeader | None:
    """Return the header, a line near the beginning that names a column of titles, or None.

    It must name another known column too, unless `title_only` is set. The delimiter that yields the
    most columns is chosen.
    """
    headers = [
        header
        for delimiter in DELIMITERS
        if (header := find_header_for_delimiter(text, delimiter, title_only=title_only))
    ]
    return max(headers, key=lambda header: len(header.column_names), default=None)


def find_header_for_delimiter(text: str, delimiter: str, *, title_only: bool) -> TableHeader | None:
    for line, cells in islice(read_rows(text, delimiter), MAX_LINES_ABOVE_HEADER):
        names = tuple(map(fold_column_name, cells)) if isinstance(cells, list) else ()
        has_titles = not set(columns.COLUMNS["title"].names).isdisjoint(names)
        if has_titles and (title_only or len(columns.KNOWN_NAMES.intersection(names)) > 1):
            return TableHeader(names, delimiter, line)
    return None


def read_rows(text: str, delimiter: str) -> Iterator[tuple[int, Row]]:
    """Yield each row with the number of the line that it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):
                yield line, UnterminatedQuoteError()
            else:
                yield line, RejectedItemError(MISPLACED_QUOTE_REASON)


def cells_by_column(header: TableHeader, cells: Row) -> dict[str, str]:
    """Return the cells by column name; empty for an empty row and a repeated header.

    Raise RejectedItemError for a row that could not be read or has too many cells.
    """
    if isinstance(cells, RejectedItemError):
        raise cells
    if tuple(map(fold_column_name, cells)) == header.column_names:
        return {}
    if any(cell.strip() for cell in cells[len(header.column_names) :]):
        raise RejectedItemError("more cells than columns")
    row: dict[str, str] = {}
    for name, cell in zip(header.column_names, cells, strict=False):
        if cell.strip():
            row.setdefault(name, cell)
    return row
