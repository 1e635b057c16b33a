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
from subscribers.transfer.formats import Layout, Standing
from subscribers.transfer.importing import COLUMNS, BadRow, Row, known_topics, row

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# In the order in which they are looked for: the mark of UTF-32 begins with that of UTF-16.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CHUNK = 1 << 16
# A header is not longer than this.
LONGEST_HEADER = 1 << 16
# Whatever a message quotes from a file: somebody may be named in it.
SOMEBODY = re.compile(r"[^\s'\"“”]+@[^\s'\"“”]*")

Found = Row | BadRow | Standing


class BadFile(ValueError):
    """Why a file is not a list of readers, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An opened list: what its columns are, and its lines with their numbers."""

    layout: Layout
    delimiter: str
    lines: Iterator[tuple[int, Found]]

    def described(self) -> list[str]:
        """How the file was understood; names of columns, and nobody's."""
        used = [f"{ours} from “{named(theirs)}”" for ours, theirs in self.layout.fields.items()]
        ignored = ", ".join(f"“{named(name)}”" for name in self.layout.ignored)
        return [
            f"Format: {self.layout.format.name}, with {DELIMITERS[self.delimiter]}.",
            f"Columns: {', '.join(used)}.",
            f"Ignored: {ignored or 'no column'}.",
        ]


def named(column: str) -> str:
    printable = "".join(each for each in column if each.isprintable())
    return hushed(printable[:40])


def hushed(sentence: str) -> str:
    """A sentence that quotes a file, without anybody's address."""
    return SOMEBODY.sub("…", sentence)


def encoding_of(file: BinaryIO) -> str:
    """By its mark; else UTF-8 or, if it cannot be that, what Windows wrote. Rewinds the file."""
    beginning = file.read(4)
    file.seek(0)
    for mark, name in MARKS.items():
        if beginning.startswith(mark):
            return name
    decoder, windows, controls = codecs.getincrementaldecoder("utf-8")(), True, False
    utf_8 = True
    while chunk := file.read(CHUNK):
        controls = controls or b"\0" in chunk
        utf_8 = utf_8 and decodes(decoder, chunk)
        windows = windows and decodes(codecs.getincrementaldecoder("cp1252")(), chunk)
    file.seek(0)
    if utf_8 and not decoder.getstate()[0]:
        return "utf-8"
    if windows and not controls:
        return "cp1252"
    raise BadFile("The file is not text. Save the list as CSV in UTF-8.")


def decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def open_table(file: TextIO) -> Table:
    """Read the header; the lines are read as they are asked for."""
    try:
        first, skipped = file.readline(LONGEST_HEADER), 0
        if re.fullmatch(r"\"?sep=.\"?\s*", first, re.IGNORECASE):  # for Excel's eyes only
            first, skipped = file.readline(LONGEST_HEADER), 1
        delimiter = max(DELIMITERS, key=lambda each: likelihood(first, each))
        reader = csv.reader(chain([first], file), delimiter=delimiter)
        header = [name.strip().lower() for name in next(reader, [])]
    except UnicodeError:
        raise BadFile("The file is not text in UTF-8.") from None
    except csv.Error as error:
        raise BadFile(f"The file is not CSV, by its first line: {error}.") from None
    found = formats.layout(header, COLUMNS)
    if found is None:
        raise BadFile(f"The first line must name the columns: email, or {','.join(COLUMNS)}.")
    return Table(layout=found, delimiter=delimiter, lines=lines(reader, header, found, skipped))


def likelihood(header: str, delimiter: str) -> tuple[bool, int]:
    """Whether that makes a column of addresses, and how many columns."""
    names = [name.strip(' "\r\n').lower() for name in header.split(delimiter)]
    return any(name in formats.ADDRESSES for name in names), len(names)


def lines(
    reader: Iterator[list[str]], header: list[str], layout: Layout, skipped: int
) -> Iterator[tuple[int, Found]]:
    """Each line that says anything: a reader, why they are not brought in, or what is wrong."""
    topics, line = known_topics(), 1
    try:
        for cells in reader:
            line = getattr(reader, "line_num", line) + skipped
            if any(cell.strip() for cell in cells):
                yield line, found_in(cells, header, layout, topics)
    except UnicodeError:
        raise BadFile("The file is not text in UTF-8.") from None
    except csv.Error as error:
        raise BadFile(f"The file is not CSV, by line {line + 1}: {error}.") from None


def found_in(cells: list[str], header: list[str], layout: Layout, topics: frozenset[str]) -> Found:
    if len(cells) > len(header):
        return BadRow("There are more fields than the header names.")
    line = dict(zip(header, [*cells, *[""] * (len(header) - len(cells))], strict=True))
    if reason := layout.standing(line):
        return reason
    try:
        return row(said(line, layout), known_topics=topics)
    except BadRow as error:
        return BadRow(hushed(str(error)))


def said(line: Mapping[str, str], layout: Layout) -> dict[str, str]:
    """What a line says by our names; of another service only what can be of use here."""
    found = {ours: line[theirs] for ours, theirs in layout.fields.items()}
    if layout.format.name == formats.OWN_EXPORT:
        found = {name: formats.bare(cell) for name, cell in found.items()}
    elif not layout.is_ours and found.get("timezone") not in send_time.zones():
        found["timezone"] = ""
    return found
