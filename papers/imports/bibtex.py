"""BibTeX, as libraries and reference managers write it; TeX in the texts is read in the catalogue."""

from __future__ import annotations

import logging
import re
from typing import Any

import bibtexparser
from bibtexparser.library import Library
from bibtexparser.middlewares import RemoveEnclosingMiddleware, names
from bibtexparser.model import (
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    Entry,
    ParsingFailedBlock,
)

from papers import identity
from papers.imports import Brought, Unreadable, columns
from papers.sources import Record
from papers.sources.json_values import Rejected

# It warns of every entry that is broken; so do we.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

KEY = re.compile(r"@\w+\s*[{(]\s*([^\s,={}()]{1,60})")
# What keeps its braces, and the braces that only keep the capitals: the {GAN} of J{\"o}rg.
BRACED = re.compile(
    r"(\$[^$]*\$ | \\[A-Za-z]+\s*(?:\{[^{}]*\})* | \\. | [_^]\{[^{}]*\}) | \{([^{}\\$]*)\}",
    re.VERBOSE,
)
DEEPEST = 4
# arXiv:2605.01234 in a journal's or note's name, and CoRR's volume abs/2605.01234.
MENTION = re.compile(
    r"(?:arxiv\s*:\s*|arxiv\.org/(?:abs|pdf)/|\babs/)([\w./-]{7,30})", re.IGNORECASE
)
MENTIONING = ("journal", "journaltitle", "note", "howpublished", "volume", "number", "url")
UNENCLOSED = RemoveEnclosingMiddleware()
# Names that are nobody's.
NOBODY = frozenset({"others", "et al.", "et al"})


def parse(text: str) -> Brought:
    records: list[Record] = []
    rejected: list[str] = []
    cut_off = ""
    library = bibtexparser.parse_string(text)
    for block in library.blocks:
        try:
            if entry := entry_in(block):
                records.append(read(entry))
        except Rejected as reason:
            place = place_of(block)
            if ends(block):
                cut_off = f"The file breaks off in {place}."
            else:
                rejected.append(f"{place}: {reason}")
    if not records and not rejected and not cut_off:
        raise Unreadable("The file has no BibTeX entry, as @article{key, title = {…}}.")
    return Brought(records=tuple(records), rejected=tuple(rejected), cut_off=cut_off)


def entry_in(block: Any) -> Entry | None:
    """The entry, also where its key or a field comes twice; None for comments and strings."""
    if isinstance(block, DuplicateBlockKeyBlock | DuplicateFieldKeyBlock):
        twice = block.ignore_error_block
        # The library left it as it was written.
        return UNENCLOSED.transform_entry(twice, Library()) if isinstance(twice, Entry) else None
    if isinstance(block, Entry):
        return block
    if isinstance(block, ParsingFailedBlock):
        raise Rejected("not closed, or a comma is missing")
    return None


def ends(block: Any) -> bool:
    reason = getattr(getattr(block, "error", None), "abort_reason", "")
    return isinstance(block, ParsingFailedBlock) and "end of file" in reason


def place_of(block: Any) -> str:
    key = getattr(block, "key", None) or next(iter(KEY.findall(block.raw or "")), "")
    return f"line {(block.start_line or 0) + 1}{f' ({key})' if key else ''}"


def read(entry: Entry) -> Record:
    """One entry as a record; raises Rejected."""
    told: dict[str, str] = {}
    for field in entry.fields:
        told.setdefault(field.key.lower(), str(field.value).strip())
    return columns.record(
        {
            "title": unbraced(told.get("title", "")),
            "abstract": unbraced(told.get("abstract", "")),
            "authors": people(told.get("author", "")),
            "arxiv_id": arxiv_id(told),
            "doi": untexed(told.get("doi", "")),
            "url": untexed(told.get("url", "")),
            "date": told.get("date"),
            "categories": told.get("primaryclass") or told.get("eprintclass"),
            "keywords": told.get("keywords"),
            "code": untexed(told.get("code", "")) or code_at(untexed(told.get("url", ""))),
        }
    )


def people(written: str) -> list[str]:
    """The authors' names, the given ones first."""
    found = names.split_multiple_persons_names(" ".join(written.split()))
    return [person(name) for name in found if name.lower() not in NOBODY]


def person(name: str) -> str:
    parts = names.parse_single_name_into_parts(name, strict=False)
    return unbraced(" ".join([*parts.first, *parts.von, *parts.last, *parts.jr]))


def unbraced(text: str) -> str:
    for _ in range(DEEPEST):
        text = BRACED.sub(lambda found: found[2] if found[1] is None else found[1], text)
    return text


def arxiv_id(told: dict[str, str]) -> str:
    """From the eprint, unless it is another archive's, or from where it is mentioned."""
    archive = told.get("archiveprefix") or told.get("eprinttype") or "arxiv"
    written = [told.get("eprint", "")] if archive.lower() == "arxiv" else []
    written += [
        number for name in MENTIONING for number in MENTION.findall(untexed(told.get(name, "")))
    ]
    found = (identity.arxiv_id(number.rstrip(".,")) for number in written)
    return next((number for number in found if number), "")


def untexed(address: str) -> str:
    r"""An address without \url{…} around it and backslashes in it."""
    return re.sub(r"\\([_%#&~])(?:\{\})?", r"\1", re.sub(r"\\(?:url|href)\s*|[{}]", "", address))


def code_at(address: str) -> str:
    """The address, if code is what is there."""
    return address if re.match(r"https?://(?:www\.)?(?:github|gitlab)\.com/", address) else ""
