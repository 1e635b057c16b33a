"""Code that the three arXiv sources share: how arXiv writes authors, DOIs and withdrawals.

arXiv allows one call at a time and one every three seconds, all of its services and all of our
machines together.
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
# Pages of GitHub's own whose URL looks like that of a repository.
GITHUB_RESERVED_NAMES = frozenset(
    {"orgs", "topics", "features", "sponsors", "marketplace", "search", "login"}
)

PAPER_NOUN = (
    r"(?:paper|article|submission|manuscript|pre-?print|e-?print|work|note|report|document)"
)
# Only at the beginning of a sentence: neither "an earlier version of this paper has been withdrawn"
# nor "withdrawn from the conference" may match.
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
    """An error message from arXiv, which it often sends with status 200."""

    def __init__(self, source_title: str, message: str, *, code: str = "") -> None:
        super().__init__(
            f"{source_title} answered with an error: {one_line(message) or 'no details given'}."
        )
        self.code = code


def xml_client(client: SourceClient) -> SourceClient:
    """Return the same client, asking for XML."""
    client.headers["Accept"] = ACCEPT_HEADER
    return client


def fetch_and_parse(
    client: SourceClient, path: str, query: dict[str, str | int], parse: Callable[[bytes], T]
) -> T:
    """Return the parsed response.

    Of an error response, raise the error that its body describes, else the HttpError.
    """
    try:
        body = client.get(path, **query)
    except HttpError as error:
        with suppress(InvalidResponseError):
            parse(error.body_start.encode())
        raise
    return parse(body)


def require_arxiv_id(*texts: str) -> str:
    """Return the first arXiv id in the texts; raise RejectedItemError if there is none."""
    arxiv_id = next(filter(None, map(identity.parse_arxiv_id, texts)), None)
    if not arxiv_id:
        raise RejectedItemError("not an arXiv id")
    return arxiv_id


def submission_month(arxiv_id: str) -> date:
    """Return the month in which arXiv assigned an id: 2605.01234, math/0309136, hep-th/9901001."""
    digits = arxiv_id.rpartition("/")[2]
    year = int(digits[:2])
    # arXiv exists since 1991. The month of an old id may be any two digits.
    return date(year + (1900 if year > 90 else 2000), min(max(int(digits[2:4]), 1), 12), 1)


def valid_categories(category_names: Sequence[str]) -> list[str]:
    """Return the distinct categories under their present names.

    Raise SourceUnavailableError for an unknown one: the operator must correct the settings.
    """
    for name in category_names:
        if not categories.canonical_id(name):
            raise SourceUnavailableError(
                f"{name!r} is not a category of arXiv, so nothing was fetched: "
                "correct ARXIV_CATEGORIES (for example: cs.AI stat.ML)."
            )
    return categories.canonical_ids(category_names)


def split_author_list(author_list: str) -> tuple[str, ...]:
    """Return the names in a text such as "A. Abel (MIT), B. Bell, Jr. and C. Curie"."""
    names: list[str] = []
    for name in AUTHOR_SEPARATOR.split(AFFILIATION.sub(" ", " ".join(author_list.split()))):
        if NAME_SUFFIX.fullmatch(name) and names:
            names[-1] += f" {name}"
        else:
            names.append(name)
    return clean_author_names(names)


def clean_author_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names without a leading "and"; drop what has no letter, such as a lone colon."""
    stripped = (re.sub("^and ", "", " ".join(name.split())) for name in names)
    return tuple(name for name in stripped if any(letter.isalpha() for letter in name))


def first_publisher_doi(text: str) -> str:
    """Return the first DOI in a text, or "" if arXiv assigned it: then it only repeats the id."""
    first = re.split(r"\s+|[,;]+(?=10\.|\s|$)", text.strip(), maxsplit=1)[0]
    doi = identity.parse_doi(first)
    return "" if identity.parse_arxiv_id(doi) else doi


def code_url(*texts: str) -> str:
    """Return the URL of the GitHub repository that the texts name, if they name exactly one.

    With two, there is no telling which is the authors' own. Measured on 340 listed papers whose
    abstract names one repository and whose authors linked one as their code: the two agree for 337,
    and differ in the owner for the other three.
    """
    urls: dict[str, str] = {}
    for owner, repository in GITHUB_REPO_MENTION.findall(" ".join(texts).replace("\\_", "_")):
        bare = repository.removesuffix(".git")
        if bare and owner.lower() not in GITHUB_RESERVED_NAMES:
            url = f"https://github.com/{owner}/{bare}"
            urls.setdefault(url.lower(), url)
    return next(iter(urls.values())) if len(urls) == 1 else ""


def mentions_withdrawal(comment: str, abstract: str) -> bool:
    """Return whether the comment states a withdrawal, or the abstract begins with the statement."""
    comment, abstract = (" ".join(text.split()) for text in (comment, abstract))
    return bool(WITHDRAWAL_STATEMENT.search(comment) or WITHDRAWAL_STATEMENT.match(abstract))
