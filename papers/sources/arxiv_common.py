"""What the three services of arXiv have in common: how the fields of an e-print are written.

arXiv wants three seconds between any two questions of ours, whichever of its services and whichever
of our machines asks, and one question at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import TypeVar

from papers import identity
from papers.sources import InvalidResponseError, SourceUnavailableError
from papers.sources.http import HttpError, SourceClient
from papers.sources.json_values import RejectedItemError, one_line
from papers.topics import categories

PACING = ("arxiv", timedelta(seconds=3))
ACCEPT_HEADER = "application/xml, text/xml, */*;q=0.5"

T = TypeVar("T")

AFFILIATION = re.compile(r"\((?:[^()]|\([^()]*\))*\)")
AUTHOR_SEPARATOR = re.compile(r"\s*(?:,|[;:]\s)\s*(?:(?:and|&)\s+)?|\s+(?:and|&)\s+")
NAME_SUFFIX = re.compile(r"(?:[JS]r|I{2,3}|IV)\.?", re.IGNORECASE)
GITHUB_REPO_MENTION = re.compile(
    r"(?<![\w.-])(?:www\.)?github\.com/+([a-z0-9-]+)/([\w.-]*[\w-])", re.IGNORECASE | re.ASCII
)
# Pages of GitHub's own that look like a repository's.
GITHUB_RESERVED_NAMES = frozenset(
    {"orgs", "topics", "features", "sponsors", "marketplace", "search", "login"}
)

PAPER_NOUN = (
    r"(?:paper|article|submission|manuscript|pre-?print|e-?print|work|note|report|document)"
)
# A sentence that begins with it: not "an earlier version of this paper has been withdrawn", nor
# "withdrawn from the conference".
WITHDRAWAL_STATEMENT = re.compile(
    rf"""
    (?: ^ | [.;!]\s+ | ^[\w ,]{{0,60}},\s+ (?=this\s) )
    (?: (?:this|the) \s+ (?:(?:arxiv|present|current|whole)\s+)? {PAPER_NOUN}
        (?:\s+and\s+(?:its\s+|the\s+)?abstract)?
        \s+ (?:has|have|was|is|had) (?:\s+(?:now|since|been|being|temporarily|voluntarily))*
        \s+ (?:withdrawn|retracted)
      | (?:this\s+)? {PAPER_NOUN} \s+ (?:withdrawn|retracted)
      | (?:the\s+)? authors? \s+ (?:has|have) \s+ (?:withdrawn|retracted) \s+ (?:this|the) \s+ {PAPER_NOUN}
      | we \s+ (?:have\s+)? (?:withdraw|withdrew|withdrawn|retract|retracted) \s+ this \s+ {PAPER_NOUN}
    ) \b (?! \s+ from \s+ (?!(?:the\s+)?arxiv\b) )
    | ^ (?:withdrawn|retracted) \b (?= \s*
        (?: $ | [.;:,!(-] | (?:by|due|because|since|as|for|pending) \b ) )
    """,
    re.IGNORECASE | re.VERBOSE,
)


class ArxivError(SourceUnavailableError):
    """arXiv answered with an error, often as if all were well (HTTP 200)."""

    def __init__(self, source_title: str, message: str, *, code: str = "") -> None:
        super().__init__(
            f"{source_title} answered with an error: {one_line(message) or 'it says no more'}."
        )
        self.code = code


def xml_client(client: SourceClient) -> SourceClient:
    client.headers["Accept"] = ACCEPT_HEADER
    return client


def fetch_and_parse(
    client: SourceClient, path: str, query: dict[str, str | int], parse: Callable[[bytes], T]
) -> T:
    """The answer, as it is read; of a refusal, what its body says is wrong."""
    try:
        body = client.get(path, **query)
    except HttpError as refused:
        with suppress(InvalidResponseError):
            parse(refused.body_start.encode())
        raise
    return parse(body)


def require_arxiv_id(*texts: str) -> str:
    """The arXiv id in the first of the texts that holds one; raises Rejected."""
    found = next(filter(None, map(identity.parse_arxiv_id, texts)), None)
    if not found:
        raise RejectedItemError("not an arXiv id")
    return found


def submission_month(arxiv_id: str) -> date:
    """The month that an arXiv id was given in: 2605.01234, math/0309136, hep-th/9901001."""
    digits = arxiv_id.rpartition("/")[2]
    year = int(digits[:2])
    # No paper is older than arXiv, of 1991; an old number may hold any digits.
    return date(year + (1900 if year > 90 else 2000), min(max(int(digits[2:4]), 1), 12), 1)


def valid_categories(category_names: Sequence[str]) -> list[str]:
    """The categories to ask for, each once; a name that is none is the operator's mistake."""
    for name in category_names:
        if not categories.canonical_id(name):
            raise SourceUnavailableError(
                f"{name!r} is not a category of arXiv, so it was not asked: "
                "correct ARXIV_CATEGORIES (cs.AI stat.ML, for instance)."
            )
    return categories.canonical_ids(category_names)


def split_author_list(author_list: str) -> tuple[str, ...]:
    """Authors that stand in one text: "A. Abel (MIT), B. Bell, Jr. and C. Curie"."""
    found: list[str] = []
    for name in AUTHOR_SEPARATOR.split(AFFILIATION.sub(" ", " ".join(author_list.split()))):
        if NAME_SUFFIX.fullmatch(name) and found:
            found[-1] += f" {name}"
        else:
            found.append(name)
    return clean_author_names(found)


def clean_author_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names among what stands in their places: a lone colon, an "and" before the last one."""
    tidied = (re.sub("^and ", "", " ".join(name.split())) for name in names)
    return tuple(name for name in tidied if any(letter.isalpha() for letter in name))


def first_publisher_doi(text: str) -> str:
    """The first DOI of a publisher; arXiv's own only repeats the arXiv id."""
    first = re.split(r"\s+|[,;]+(?=10\.|\s|$)", text.strip(), maxsplit=1)[0]
    found = identity.parse_doi(first)
    return "" if identity.parse_arxiv_id(found) else found


def code_url(*texts: str) -> str:
    """The GitHub repository that a paper names, if it names exactly one.

    Of 340 listed papers whose abstract names one and whose authors linked one as their code, 337
    name the same, and three a namesake of it. With two, it cannot be told which is theirs.
    """
    found: dict[str, str] = {}
    for owner, repository in GITHUB_REPO_MENTION.findall(" ".join(texts).replace("\\_", "_")):
        bare = repository.removesuffix(".git")
        if bare and owner.lower() not in GITHUB_RESERVED_NAMES:
            url = f"https://github.com/{owner}/{bare}"
            found.setdefault(url.lower(), url)
    return next(iter(found.values())) if len(found) == 1 else ""


def mentions_withdrawal(comment: str, abstract: str) -> bool:
    """Whether its authors or arXiv took it back: so says the comment, or stands for an abstract."""
    said, begins = (" ".join(each.split()) for each in (comment, abstract))
    return bool(WITHDRAWAL_STATEMENT.search(said) or WITHDRAWAL_STATEMENT.match(begins))
