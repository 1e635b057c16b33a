"""Import papers from a user's own file: a library, a list, or a page saved as text."""

from __future__ import annotations

from dataclasses import dataclass

from papers.sources import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """The content of a file: its papers, and the place and reason of each rejected entry."""

    records: tuple[Record, ...] = ()
    rejected: tuple[str, ...] = ()
    # A sentence if the file ends in the middle of an entry. The entries before that are complete.
    truncation_error: str = ""


class InvalidImportFileError(ValueError):
    """A file that papers cannot be read from; the message is one sentence."""
