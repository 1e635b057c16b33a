"""Papers from a file that somebody has: a library, a list, a page saved as text."""

from __future__ import annotations

from dataclasses import dataclass

from papers.sources import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """What a file held: its papers, and for each entry that is none where it stands and why."""

    records: tuple[Record, ...] = ()
    rejected: tuple[str, ...] = ()
    # A sentence, if the file ends in the middle of an entry: what comes before it is whole.
    truncation_error: str = ""


class InvalidImportFileError(ValueError):
    """The file is none that papers can be read from; one sentence says why."""
