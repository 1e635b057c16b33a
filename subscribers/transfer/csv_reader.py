"""Lists of readers as CSV files, however their service writes them: read line by line."""

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
from subscribers.transfer.importing import (
    COLUMNS,
    ImportRow,
    InvalidRowError,
    load_topic_slugs,
    parse_row,
)

DELIMITER_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# In the order in which they are looked for: the mark of UTF-32 begins with that of UTF-16.
ENCODING_BY_BOM = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
READ_CHUNK_BYTES = 1 << 16
# A header is not longer than this.
MAX_HEADER_CHARS = 1 << 16
# Whatever a message quotes from a file: somebody may be named in it.
EMAIL_LIKE = re.compile(r"[^\s'\"“”]+@[^\s'\"“”]*")

ParsedLine = ImportRow | InvalidRowError | SkipReason


class InvalidCsvError(ValueError):
    """Why a file is not a list of readers, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An opened list: what its columns are, and its lines with their numbers."""

    layout: Layout
    delimiter: str
    lines: Iterator[tuple[int, ParsedLine]]

    def describe(self) -> list[str]:
        """How the file was understood; names of columns, and nobody's."""
        used = [
            f"{ours} from “{printable_name(theirs)}”"
            for ours, theirs in self.layout.column_by_field.items()
        ]
        ignored = ", ".join(f"“{printable_name(name)}”" for name in self.layout.ignored_columns)
        return [
            f"Format: {self.layout.format.name}, with {DELIMITER_NAMES[self.delimiter]}.",
            f"Columns: {', '.join(used)}.",
            f"Ignored: {ignored or 'no column'}.",
        ]


def printable_name(column: str) -> str:
    printable = "".join(each for each in column if each.isprintable())
    return redact_addresses(printable[:40])


def redact_addresses(sentence: str) -> str:
    """A sentence that quotes a file, without anybody's address."""
    return EMAIL_LIKE.sub("…", sentence)


def detect_encoding(file: BinaryIO) -> str:
    """By its mark; else UTF-8 or, if it cannot be that, what Windows wrote. Rewinds the file."""
    beginning = file.read(4)
    file.seek(0)
    for mark, name in ENCODING_BY_BOM.items():
        if beginning.startswith(mark):
            return name
    decoder, windows, controls = codecs.getincrementaldecoder("utf-8")(), True, False
    utf_8 = True
    while chunk := file.read(READ_CHUNK_BYTES):
        controls = controls or b"\0" in chunk
        utf_8 = utf_8 and can_decode(decoder, chunk)
        windows = windows and can_decode(codecs.getincrementaldecoder("cp1252")(), chunk)
    file.seek(0)
    if utf_8 and not decoder.getstate()[0]:
        return "utf-8"
    if windows and not controls:
        return "cp1252"
    raise InvalidCsvError("The file is not text. Save the list as CSV in UTF-8.")


def can_decode(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def open_table(file: TextIO) -> Table:
    """Read the header; the lines are read as they are asked for."""
    try:
        first, skipped = file.readline(MAX_HEADER_CHARS), 0
        if re.fullmatch(r"\"?sep=.\"?\s*", first, re.IGNORECASE):  # for Excel's eyes only
            first, skipped = file.readline(MAX_HEADER_CHARS), 1
        delimiter = max(DELIMITER_NAMES, key=lambda each: score_delimiter(first, each))
        reader = csv.reader(chain([first], file), delimiter=delimiter)
        header = [name.strip().lower() for name in next(reader, [])]
    except UnicodeError:
        raise InvalidCsvError("The file is not text in UTF-8.") from None
    except csv.Error as error:
        raise InvalidCsvError(f"The file is not CSV, by its first line: {error}.") from None
    found = formats.detect_layout(header, COLUMNS)
    if found is None:
        raise InvalidCsvError(
            f"The first line must name the columns: email, or {','.join(COLUMNS)}."
        )
    return Table(
        layout=found, delimiter=delimiter, lines=parse_lines(reader, header, found, skipped)
    )


def score_delimiter(header: str, delimiter: str) -> tuple[bool, int]:
    """Whether that makes a column of addresses, and how many columns."""
    names = [name.strip(' "\r\n').lower() for name in header.split(delimiter)]
    return any(name in formats.EMAIL_COLUMNS for name in names), len(names)


def parse_lines(
    reader: Iterator[list[str]], header: list[str], layout: Layout, skipped_lines: int
) -> Iterator[tuple[int, ParsedLine]]:
    """Each line that says anything: a reader, why they are not brought in, or what is wrong."""
    topics, line = load_topic_slugs(), 1
    try:
        for cells in reader:
            line = getattr(reader, "line_num", line) + skipped_lines
            if any(cell.strip() for cell in cells):
                yield line, parse_line(cells, header, layout, topics)
    except UnicodeError:
        raise InvalidCsvError("The file is not text in UTF-8.") from None
    except csv.Error as error:
        raise InvalidCsvError(f"The file is not CSV, by line {line + 1}: {error}.") from None


def parse_line(
    cells: list[str], header: list[str], layout: Layout, topic_slugs: frozenset[str]
) -> ParsedLine:
    if len(cells) > len(header):
        return InvalidRowError("There are more fields than the header names.")
    line = dict(zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=True))
    if reason := layout.skip_reason(line):
        return reason
    try:
        return parse_row(map_columns(line, layout), known_topics=topic_slugs)
    except InvalidRowError as error:
        return InvalidRowError(redact_addresses(str(error)))


def map_columns(line: Mapping[str, str], layout: Layout) -> dict[str, str]:
    """What a line says by our names; of another service only what can be of use here."""
    found = {ours: line[theirs] for ours, theirs in layout.column_by_field.items()}
    if layout.format.name == formats.OWN_EXPORT_NAME:
        found = {name: formats.unescape_formula(cell) for name, cell in found.items()}
    elif not layout.is_own_format and found.get("timezone") not in send_time.timezone_names():
        found["timezone"] = ""
    return found
