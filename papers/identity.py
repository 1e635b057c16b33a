"""Which paper is meant: by its arXiv id, else its DOI, else its title and first author (pure).

Never by likeness: titles that differ by a word ("Qwen2", "Qwen2.5") belong to different papers.
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
    """The arXiv id in an id, an address or a DOI, without its version; None if it is none.

    2605.01234v2, arXiv:2605.01234, https://arxiv.org/pdf/2605.01234v1, 10.48550/arXiv.2605.01234,
    and of the years before 2007 math.GT/0309136, which is also math/0309136.
    """
    found = ARXIV_ID_PATTERN.fullmatch(strip_invisible(text))
    if found is None:
        return None
    return found["new"] or f"{found['archive'].lower()}/{found['number']}"


def strip_invisible(text: str) -> str:
    """Without what cannot be seen, which copying brings along, and as it is outside of an address."""
    seen = "".join(letter for letter in text if letter.isprintable()).strip().rstrip(",;")
    return unquote(seen) if "doi.org/" in seen.lower() else seen


def parse_doi(text: str) -> str:
    """The DOI in a DOI or its address, in lower case as all of them compare; empty if none."""
    found = DOI_PATTERN.fullmatch(strip_invisible(text))
    return found[1].lower().rstrip(".,;/") if found else ""


def title_key(title: str) -> str:
    """The same for the same title, whatever its case, accents, hyphens and punctuation.

    Empty for one of signs only: they are all alike.
    """
    text = fold_title(title)
    return short_hash(text) if text else ""


def title_identity(title: str, authors: Sequence[str]) -> str:
    """The identity of a paper that has no number: of its title and its first author."""
    first = author_key(authors[0]) if authors else ""
    return "title-" + short_hash(f"{fold_title(title)}|{first}")


def canonical_identifier(text: str) -> str:
    """The identity that a person means: v2 of a paper is that paper."""
    return parse_arxiv_id(text) or parse_doi(text) or text.strip()


def identity_for(arxiv_id: str, doi: str, title: str, authors: Sequence[str]) -> str:
    return arxiv_id or doi or title_identity(title, authors)


def fold_title(title: str) -> str:
    """Letters and digits of any script in lower case, without marks; words parted by one space."""
    return " ".join(re.findall(r"[^\W_]+", fold_accents_and_case(title)))


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:24]
