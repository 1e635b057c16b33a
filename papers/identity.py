"""Which paper is meant: by its arXiv id, else its DOI, else its title and first author (pure).

Never by likeness: titles that differ by a word ("Qwen2", "Qwen2.5") belong to different papers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from papers.matching import author_key
from papers.words import bare

ARXIV_ID = re.compile(
    r"""
    (?: (?:https?://)? (?:www\.|export\.)? (?:arxiv\.org|huggingface\.co|alphaxiv\.org)
        /(?:abs|pdf|html|ps|format|papers)/
      | arxiv: | oai:arxiv\.org: | (?:https?://(?:dx\.|www\.)?doi\.org/ | doi:)? 10\.48550/arxiv\. )?
    (?: (?P<new> [0-9]{2}(?:0[1-9]|1[0-2]) \. [0-9]{4,5} )
      | (?P<archive> [a-z]{2,10}(?:-[a-z]{2,4})? ) (?:\.[a-z]{2})? / (?P<number> [0-9]{7} ) )
    (?:v(?P<version>[0-9]{1,4}))? (?:\.pdf)? /? (?:[?#].*)?
    """,
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
DOI = re.compile(
    r"(?:https?://(?:dx\.|www\.)?doi\.org/|doi:\s*)?(10\.[0-9]{4,9}/[^\s\"<>]{1,200})",
    re.IGNORECASE | re.ASCII,
)
LONGEST = 255


def arxiv_id(text: str) -> str | None:
    """The arXiv id in an id, an address or a DOI, without its version; None if it is none.

    2605.01234v2, arXiv:2605.01234, https://arxiv.org/pdf/2605.01234v1, 10.48550/arXiv.2605.01234,
    and of the years before 2007 math.GT/0309136, which is also math/0309136.
    """
    found = ARXIV_ID.fullmatch(text.strip())
    if found is None:
        return None
    return found["new"] or f"{found['archive'].lower()}/{found['number']}"


def doi(text: str) -> str:
    """The DOI in a DOI or its address, in lower case as all of them compare; empty if none."""
    found = DOI.fullmatch(text.strip())
    return found[1].lower().rstrip(".,;/") if found else ""


def title_key(title: str) -> str:
    """The same for the same title, whatever its case, accents, hyphens and punctuation."""
    return digest(folded(title))


def of_title(title: str, authors: Sequence[str]) -> str:
    """The identity of a paper that has no number: of its title and its first author."""
    first = author_key(authors[0]) if authors else ""
    return "title-" + digest(f"{folded(title)}|{first}")


def names(written: str) -> str:
    """The identity that a person means: v2 of a paper is that paper."""
    return arxiv_id(written) or doi(written) or written


def of(arxiv_id: str, doi: str, title: str, authors: Sequence[str]) -> str:
    return arxiv_id or doi or of_title(title, authors)


def folded(text: str) -> str:
    """Letters and digits of any script in lower case, without marks; words parted by one space."""
    return " ".join(re.findall(r"[^\W_]+", bare(text)))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:24]
