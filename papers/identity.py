"""Identify a paper by its arXiv id, else its DOI, else its title and first author (pure).

Never match titles by similarity: "Qwen2 Technical Report" and "Qwen2.5 Technical Report" are two
papers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from urllib.parse import unquote

from papers.text.authors import author_key
from papers.text.tokens import fold_accents_and_case

ARXIV_ID_PATTERN = re.compile(
    r"""
    (?: (?:https?://)? (?: (?:[\w-]+\.){0,3} (?:arxiv\.org|huggingface\.co|alphaxiv\.org) | xxx\.lanl\.gov )
        /+(?:abs|pdf|html|ps|format|papers|src|e-print|overview)/
      | arxiv:\s* | oai:arxiv\.org: | (?:(?:https?://)?(?:dx\.|www\.)?doi\.org/ | doi:\s*)? 10\.48550/arxiv\. )?
    (?: (?P<new> [0-9]{2}(?:0[1-9]|1[0-2]) \. [0-9]{4,5} )
      | (?P<archive> [a-z]{2,10}(?:-[a-z]{2,4})? ) (?:\.[a-z]{2})? / (?P<number> [0-9]{7} ) )
    (?:v(?P<version>[0-9]{1,4}))? (?:\.pdf)? /? (?:[?#].*)? (?:\s*\[[\w.-]+\])?
    """,
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
DOI_PATTERN = re.compile(
    r"(?:(?:https?://)?(?:dx\.|www\.)?doi\.org/|doi:?\s*)?(10\.[0-9]{4,9}/[^\s\"<>]{1,200})",
    re.IGNORECASE | re.ASCII,
)
MAX_IDENTITY_CHARS = 255


def parse_arxiv_id(text: str) -> str | None:
    """Return the arXiv id in an id, a URL or a DOI, without the version; None if there is none.

    Examples: 2605.01234v2, arXiv:2605.01234, https://arxiv.org/pdf/2605.01234v1,
    10.48550/arXiv.2605.01234. Ids from before 2007 lose their subject class: math.GT/0309136 is
    math/0309136.
    """
    match = ARXIV_ID_PATTERN.fullmatch(strip_invisible(text))
    if match is None:
        return None
    return match["new"] or f"{match['archive'].lower()}/{match['number']}"


def strip_invisible(text: str) -> str:
    """Remove invisible characters, space and trailing commas, and decode a DOI's URL.

    Text that is copied from a page or a list often has them.
    """
    visible = "".join(letter for letter in text if letter.isprintable()).strip().rstrip(",;")
    return unquote(visible) if "doi.org/" in visible.lower() else visible


def parse_doi(text: str) -> str:
    """Return the DOI in a DOI or its URL; empty if there is none.

    DOIs are case-insensitive, so it is in lower case.
    """
    match = DOI_PATTERN.fullmatch(strip_invisible(text))
    return match[1].lower().rstrip(".,;/") if match else ""


def title_key(title: str) -> str:
    """Return a key that does not depend on case, accents, hyphens and punctuation.

    It is empty for a title of punctuation only: all of those would be equal.
    """
    folded = fold_title(title)
    return short_hash(folded) if folded else ""


def title_identity(title: str, authors: Sequence[str]) -> str:
    """Return the identity of a paper without an arXiv id or DOI, from title and first author."""
    first_author_key = author_key(authors[0]) if authors else ""
    return "title-" + short_hash(f"{fold_title(title)}|{first_author_key}")


def canonical_identifier(text: str) -> str:
    """Return the identity in what a person typed, or the text itself if it is none."""
    return parse_arxiv_id(text) or parse_doi(text) or text.strip()


def identity_for(arxiv_id: str, doi: str, title: str, authors: Sequence[str]) -> str:
    return arxiv_id or doi or title_identity(title, authors)


def fold_title(title: str) -> str:
    """Return the words of a title in lower case, without accents, separated by one space."""
    return " ".join(re.findall(r"[^\W_]+", fold_accents_and_case(title)))


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:24]
