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
from papers.imports import InvalidImportFileError, ParsedFile, columns
from papers.sources import Record
from papers.sources.json_values import RejectedItemError

# It warns of every entry that is broken; so do we.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

ENTRY_KEY = re.compile(r"@\w+\s*[{(]\s*([^\s,={}()]{1,60})")
# What keeps its braces, and the braces that only keep the capitals: the {GAN} of J{\"o}rg.
BRACE_GROUP = re.compile(
    r"(\$[^$]*\$ | \\[A-Za-z]+\s*(?:\{[^{}]*\})* | \\. | [_^]\{[^{}]*\}) | \{([^{}\\$]*)\}",
    re.VERBOSE,
)
MAX_BRACE_DEPTH = 4
# arXiv:2605.01234 in a journal's or note's name, and CoRR's volume abs/2605.01234.
ARXIV_MENTION = re.compile(
    r"(?:arxiv\s*:\s*|arxiv\.org/(?:abs|pdf)/|\babs/)([\w./-]{7,30})", re.IGNORECASE
)
ARXIV_MENTION_FIELDS = (
    "journal",
    "journaltitle",
    "note",
    "howpublished",
    "volume",
    "number",
    "url",
)
ENCLOSING_REMOVER = RemoveEnclosingMiddleware()
# Names that are nobody's.
PLACEHOLDER_AUTHORS = frozenset({"others", "et al.", "et al"})


def parse_bibtex(text: str) -> ParsedFile:
    records: list[Record] = []
    rejected: list[str] = []
    cut_off = ""
    library = bibtexparser.parse_string(text)
    for block in library.blocks:
        try:
            if entry := extract_entry(block):
                records.append(parse_entry(entry))
        except RejectedItemError as reason:
            place = describe_position(block)
            if is_truncated(block):
                cut_off = f"The file breaks off in {place}."
            else:
                rejected.append(f"{place}: {reason}")
    if not records and not rejected and not cut_off:
        raise InvalidImportFileError("The file has no BibTeX entry, as @article{key, title = {…}}.")
    return ParsedFile(records=tuple(records), rejected=tuple(rejected), truncation_error=cut_off)


def extract_entry(block: Any) -> Entry | None:
    """The entry, also where its key or a field comes twice; None for comments and strings."""
    if isinstance(block, DuplicateBlockKeyBlock | DuplicateFieldKeyBlock):
        twice = block.ignore_error_block
        # The library left it as it was written.
        return (
            ENCLOSING_REMOVER.transform_entry(twice, Library())
            if isinstance(twice, Entry)
            else None
        )
    if isinstance(block, Entry):
        return block
    if isinstance(block, ParsingFailedBlock):
        raise RejectedItemError("not closed, or a comma is missing")
    return None


def is_truncated(block: Any) -> bool:
    reason = getattr(getattr(block, "error", None), "abort_reason", "")
    return isinstance(block, ParsingFailedBlock) and "end of file" in reason


def describe_position(block: Any) -> str:
    key = getattr(block, "key", None) or next(iter(ENTRY_KEY.findall(block.raw or "")), "")
    return f"line {(block.start_line or 0) + 1}{f' ({key})' if key else ''}"


def parse_entry(entry: Entry) -> Record:
    """One entry as a record; raises Rejected."""
    told: dict[str, str] = {}
    for field in entry.fields:
        told.setdefault(field.key.lower(), str(field.value).strip())
    return columns.build_record(
        {
            "title": strip_braces(told.get("title", "")),
            "abstract": strip_braces(told.get("abstract", "")),
            "authors": parse_authors(told.get("author", "")),
            "arxiv_id": find_arxiv_id(told),
            "doi": strip_tex(told.get("doi", "")),
            "url": strip_tex(told.get("url", "")),
            "date": told.get("date"),
            "categories": told.get("primaryclass") or told.get("eprintclass"),
            "keywords": told.get("keywords"),
            "code": strip_tex(told.get("code", ""))
            or code_host_url(strip_tex(told.get("url", ""))),
        }
    )


def parse_authors(author_list: str) -> list[str]:
    """The authors' names, the given ones first."""
    found = names.split_multiple_persons_names(" ".join(author_list.split()))
    return [parse_author(name) for name in found if name.lower() not in PLACEHOLDER_AUTHORS]


def parse_author(name: str) -> str:
    parts = names.parse_single_name_into_parts(name, strict=False)
    return strip_braces(" ".join([*parts.first, *parts.von, *parts.last, *parts.jr]))


def strip_braces(text: str) -> str:
    for _ in range(MAX_BRACE_DEPTH):
        text = BRACE_GROUP.sub(lambda found: found[2] if found[1] is None else found[1], text)
    return text


def find_arxiv_id(entry_fields: dict[str, str]) -> str:
    """From the eprint, unless it is another archive's, or from where it is mentioned."""
    archive = entry_fields.get("archiveprefix") or entry_fields.get("eprinttype") or "arxiv"
    written = [entry_fields.get("eprint", "")] if archive.lower() == "arxiv" else []
    written += [
        number
        for name in ARXIV_MENTION_FIELDS
        for number in ARXIV_MENTION.findall(strip_tex(entry_fields.get(name, "")))
    ]
    found = (identity.parse_arxiv_id(number.rstrip(".,")) for number in written)
    return next((number for number in found if number), "")


def strip_tex(text: str) -> str:
    r"""An address without \url{…} around it and backslashes in it."""
    return re.sub(r"\\([_%#&~])(?:\{\})?", r"\1", re.sub(r"\\(?:url|href)\s*|[{}]", "", text))


def code_host_url(url: str) -> str:
    """The address, if code is what is there."""
    return url if re.match(r"https?://(?:www\.)?(?:github|gitlab)\.com/", url) else ""
