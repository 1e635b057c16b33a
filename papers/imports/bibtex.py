"""Parse BibTeX as reference managers write it. TeX in the texts is left to the catalogue."""

from __future__ import annotations

import logging
import re
from typing import Any

from bibtexparser.entrypoint import parse_string
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

# bibtexparser logs every broken entry, but we report them ourselves.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

ENTRY_KEY = re.compile(r"@\w+\s*[{(]\s*([^\s,={}()]{1,60})")
# First what needs its braces (math, commands, sub- and superscripts), then the braces that only
# protect capitals: the first group matches in J{\"o}rg, the second in {GAN}.
BRACE_GROUP = re.compile(
    r"(\$[^$]*\$ | \\[A-Za-z]+\s*(?:\{[^{}]*\})* | \\. | [_^]\{[^{}]*\}) | \{([^{}\\$]*)\}",
    re.VERBOSE,
)
MAX_BRACE_DEPTH = 4
# arXiv:2605.01234, as in a journal or a note, and abs/2605.01234, the volume of a paper in CoRR.
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
# Ends of a list of authors that are not names.
PLACEHOLDER_AUTHORS = frozenset({"others", "et al.", "et al"})


def parse_bibtex(text: str) -> ParsedFile:
    """Parse the entries of a text; raise InvalidImportFileError if it has none."""
    records: list[Record] = []
    rejected: list[str] = []
    truncation_error = ""
    library = parse_string(text)
    for block in library.blocks:
        try:
            if entry := extract_entry(block):
                records.append(parse_entry(entry))
        except RejectedItemError as reason:
            place = describe_position(block)
            if is_truncated(block):
                truncation_error = f"The file is cut off in {place}."
            else:
                rejected.append(f"{place}: {reason}")
    if not records and not rejected and not truncation_error:
        raise InvalidImportFileError("The file has no BibTeX entry, as @article{key, title = {…}}.")
    return ParsedFile(
        records=tuple(records), rejected=tuple(rejected), truncation_error=truncation_error
    )


def extract_entry(block: Any) -> Entry | None:
    """Return the entry of a block, also with a duplicate key or field; None for other blocks.

    Raise RejectedItemError for a block that could not be parsed.
    """
    if isinstance(block, DuplicateBlockKeyBlock | DuplicateFieldKeyBlock):
        entry = block.ignore_error_block
        if not isinstance(entry, Entry):
            return None
        # The library does not process duplicates: their values are still enclosed.
        return ENCLOSING_REMOVER.transform_entry(entry, Library())
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
    """Return the record of an entry; raise RejectedItemError."""
    fields: dict[str, str] = {}
    for field in entry.fields:
        fields.setdefault(field.key.lower(), str(field.value).strip())
    return columns.build_record(
        {
            "title": strip_braces(fields.get("title", "")),
            "abstract": strip_braces(fields.get("abstract", "")),
            "authors": parse_authors(fields.get("author", "")),
            "arxiv_id": find_arxiv_id(fields),
            "doi": strip_tex(fields.get("doi", "")),
            "url": strip_tex(fields.get("url", "")),
            "date": fields.get("date"),
            "categories": fields.get("primaryclass") or fields.get("eprintclass"),
            "keywords": fields.get("keywords"),
            "code": strip_tex(fields.get("code", ""))
            or code_host_url(strip_tex(fields.get("url", ""))),
        }
    )


def parse_authors(author_list: str) -> list[str]:
    """Return the names in a list separated by "and", each with the given name first."""
    authors = names.split_multiple_persons_names(" ".join(author_list.split()))
    return [parse_author(name) for name in authors if name.lower() not in PLACEHOLDER_AUTHORS]


def parse_author(name: str) -> str:
    parts = names.parse_single_name_into_parts(name, strict=False)
    return strip_braces(" ".join([*parts.first, *parts.von, *parts.last, *parts.jr]))


def strip_braces(text: str) -> str:
    """Remove the braces that only protect capitals."""
    for _ in range(MAX_BRACE_DEPTH):
        text = BRACE_GROUP.sub(lambda match: match[2] if match[1] is None else match[1], text)
    return text


def find_arxiv_id(entry_fields: dict[str, str]) -> str:
    """Return the arXiv id in `eprint`, unless that is another archive's, or in another field."""
    archive = entry_fields.get("archiveprefix") or entry_fields.get("eprinttype") or "arxiv"
    candidates = [entry_fields.get("eprint", "")] if archive.lower() == "arxiv" else []
    for name in ARXIV_MENTION_FIELDS:
        candidates += ARXIV_MENTION.findall(strip_tex(entry_fields.get(name, "")))
    ids = (identity.parse_arxiv_id(candidate.rstrip(".,")) for candidate in candidates)
    return next(filter(None, ids), "")


def strip_tex(text: str) -> str:
    r"""Return a URL or an identifier without \url{…} around it and backslashes in it."""
    return re.sub(r"\\([_%#&~])(?:\{\})?", r"\1", re.sub(r"\\(?:url|href)\s*|[{}]", "", text))


def code_host_url(url: str) -> str:
    """Return the URL if it is on a code host, else ""."""
    return url if re.match(r"https?://(?:www\.)?(?:github|gitlab)\.com/", url) else ""
