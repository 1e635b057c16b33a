"""Read subscriber lists as CSV: detect encoding, delimiter and format, then parse line by line.

Memory does not grow with the file. No message contains an address.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, TextIO

from subscribers import send_time
from subscribers.transfer import formats
from subscribers.transfer.formats import Layout, SkipReason
from subscribers.transfer.import_rows import (
    COLUMNS,
    ImportRow,
    InvalidRowError,
    load_topic_slugs,
    parse_row,
)

DELIMITER_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Checked in this order. Keep UTF-32 before UTF-16, whose byte order mark is a prefix of the other.
ENCODING_BY_BOM = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
READ_CHUNK_BYTES = 1 << 16
# Without a limit, a file without a line break would be read into memory at once.
MAX_HEADER_CHARS = 1 << 16
# Redacted in messages, which quote the file.
EMAIL_LIKE = re.compile(r"[^\s'\"“”]+@[^\s'\"“”]*")

ParsedLine = ImportRow | InvalidRowError | SkipReason


class InvalidCsvError(ValueError):
    """A file that is not a subscriber list. The message is a sentence without addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An opened file: its layout, and an iterator of line numbers and parsed lines."""

    layout: Layout
    delimiter: str
    lines: Iterator[tuple[int, ParsedLine]]

    def describe(self) -> list[str]:
        """Return sentences on format and columns, without the content of any row."""
        used = [
            f"{field} from “{printable_name(column)}”"
            for field, column in self.layout.column_by_field.items()
        ]
        ignored = ", ".join(f"“{printable_name(name)}”" for name in self.layout.ignored_columns)
        return [
            f"Format: {self.layout.format.name}, with {DELIMITER_NAMES[self.delimiter]}.",
            f"Columns: {', '.join(used)}.",
            f"Ignored: {ignored or 'no column'}.",
        ]


def printable_name(column: str) -> str:
    printable = "".join(character for character in column if character.isprintable())
    return redact_addresses(printable[:40])


def redact_addresses(sentence: str) -> str:
    """Replace everything that looks like an address."""
    return EMAIL_LIKE.sub("…", sentence)


def detect_encoding(file: BinaryIO) -> str:
    """Return the encoding by byte order mark, else UTF-8 if it decodes, else Windows-1252.

    Read the whole file and rewind it. Raise `InvalidCsvError` if it is not text.
    """
    beginning = file.read(4)
    file.seek(0)
    for bom, encoding in ENCODING_BY_BOM.items():
        if beginning.startswith(bom):
            return encoding
    # One decoder for the whole file: a character may be split between two chunks.
    utf_8_decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf_8, is_cp1252, has_null = True, True, False
    while chunk := file.read(READ_CHUNK_BYTES):
        has_null = has_null or b"\0" in chunk
        is_utf_8 = is_utf_8 and can_decode(utf_8_decoder, chunk)
        is_cp1252 = is_cp1252 and can_decode(codecs.getincrementaldecoder("cp1252")(), chunk)
    file.seek(0)
    ends_within_character = bool(utf_8_decoder.getstate()[0])
    if is_utf_8 and not ends_within_character:
        return "utf-8"
    if is_cp1252 and not has_null:
        return "cp1252"
    raise InvalidCsvError("The file is not text. Save the list as CSV in UTF-8.")


def can_decode(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def open_table(file: TextIO) -> Table:
    """Read the header; `Table.lines` reads the rest of the file lazily.

    Raise `InvalidCsvError` if there is no column of addresses.
    """
    try:
        first_line, skipped_lines = file.readline(MAX_HEADER_CHARS), 0
        if re.fullmatch(r"\"?sep=.\"?\s*", first_line, re.IGNORECASE):  # a hint for Excel
            first_line, skipped_lines = file.readline(MAX_HEADER_CHARS), 1
        delimiter = max(
            DELIMITER_NAMES, key=lambda candidate: score_delimiter(first_line, candidate)
        )
        reader = csv.reader(chain([first_line], file), delimiter=delimiter)
        header = [name.strip().lower() for name in next(reader, [])]
    except UnicodeError:
        raise InvalidCsvError("The file is not text in UTF-8.") from None
    except csv.Error as error:
        raise InvalidCsvError(f"The file is not valid CSV: line 1, {error}.") from None
    layout = formats.detect_layout(header, COLUMNS)
    if layout is None:
        raise InvalidCsvError(
            f"The first line must be a header with some of the columns {','.join(COLUMNS)}."
        )
    return Table(
        layout=layout,
        delimiter=delimiter,
        lines=parse_lines(reader, header, layout, skipped_lines),
    )


def score_delimiter(header: str, delimiter: str) -> tuple[bool, int]:
    """Return whether the delimiter gives a column of addresses, and the number of columns."""
    names = [name.strip(' "\r\n').lower() for name in header.split(delimiter)]
    return any(name in formats.EMAIL_COLUMNS for name in names), len(names)


def parse_lines(
    reader: Iterator[list[str]], header: list[str], layout: Layout, skipped_lines: int
) -> Iterator[tuple[int, ParsedLine]]:
    """Yield the number and the result of each line that is not blank.

    Raise `InvalidCsvError` where the file cannot be decoded or is not CSV.
    """
    topic_slugs, line_number = load_topic_slugs(), 1
    try:
        for cells in reader:
            line_number = getattr(reader, "line_num", line_number) + skipped_lines
            if any(cell.strip() for cell in cells):
                yield line_number, parse_line(cells, header, layout, topic_slugs)
    except UnicodeError:
        raise InvalidCsvError("The file is not text in UTF-8.") from None
    except csv.Error as error:
        raise InvalidCsvError(
            f"The file is not valid CSV: line {line_number + 1}, {error}."
        ) from None


def parse_line(
    cells: list[str], header: list[str], layout: Layout, topic_slugs: frozenset[str]
) -> ParsedLine:
    """Return the row to add, the reason to skip it, or the error in it."""
    if len(cells) > len(header):
        return InvalidRowError("The line has more fields than the header.")
    padded_cells = [*cells, *[""] * (len(header) - len(cells))]
    cell_by_column = dict(zip(header, padded_cells, strict=True))
    if reason := layout.skip_reason(cell_by_column):
        return reason
    try:
        return parse_row(map_columns(cell_by_column, layout), known_topics=topic_slugs)
    except InvalidRowError as error:
        return InvalidRowError(redact_addresses(str(error)))


def map_columns(cell_by_column: Mapping[str, str], layout: Layout) -> dict[str, str]:
    """Return the cells of a line by our field names."""
    values = {field: cell_by_column[column] for field, column in layout.column_by_field.items()}
    if layout.format.name == formats.OWN_EXPORT_NAME:
        values = {field: formats.unescape_formula(cell) for field, cell in values.items()}
    elif not layout.is_own_format and values.get("timezone") not in send_time.timezone_names():
        # An unknown time zone of another service is not worth rejecting a subscriber.
        values["timezone"] = ""
    return values
