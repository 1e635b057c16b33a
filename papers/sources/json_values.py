"""What stands in an answer, as what it should be, or as nothing: no source keeps its promises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, TypedDict

from papers import identity
from papers.sources import InvalidResponseError, Record, SourceResponse

# PostgreSQL's largest integer.
MAX_POSTGRES_INTEGER = 2**31 - 1

GITHUB_REPO_URL = re.compile(
    r"(?:https?://)?(?:www\.)?github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?(?:[/?#].*)?"
)
GITHUB_OWNER_URL = re.compile(r"(?:https?://)?(?:www\.)?github\.com(?:/[\w.-]*)?/?")
# No database keeps a nought or half a character.
UNSTORABLE_CHARS = re.compile("[\x00\ud800-\udfff]")
DATE_PATTERN = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")


class RejectedItemError(Exception):
    """An item that is no paper; says why in a few words."""


class NotFoundAtSourceError(RejectedItemError):
    """An item that only says that the source does not know the paper: no fault of the answer."""


def parse_items(
    items: Iterable[Any], parse_item: Callable[[Any], Record], source_title: str
) -> SourceResponse:
    """A record or a reason for each item; MalformedAnswer if none is what it should be."""
    records: dict[str, Record] = {}
    rejected: list[str] = []
    malformed = True
    for item in items:
        try:
            record = parse_item(item)
        except RejectedItemError as reason:
            rejected.append(str(reason))
            malformed &= not isinstance(reason, NotFoundAtSourceError)
            continue
        if (key := record_key(record)) in records:
            rejected.append("told twice")
        records.setdefault(key, record)
    if rejected and not records and malformed:
        raise InvalidResponseError(
            f"None of the {len(rejected)} items is a paper of {source_title} ({rejected[0]})."
        )
    return SourceResponse(records=tuple(records.values()), rejected=tuple(rejected))


def record_key(record: Record) -> str:
    """What tells the records of one answer apart."""
    if not (record.arxiv_id or record.doi or record.title):
        return record.code_url
    return identity.identity_for(record.arxiv_id, record.doi, record.title, record.authors)


def parse_json(body: bytes) -> Any:
    """What an answer says; MalformedAnswer if it is not JSON."""
    if not body.strip():
        raise InvalidResponseError("The answer is empty.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidResponseError(f"The answer is not JSON, or was cut off{where}.") from None


def raise_for_error(value: Any, source_title: str) -> None:
    """MalformedAnswer if the answer only says what went wrong, in the source's own words."""
    told = value if isinstance(value, dict) else {}
    words = as_text(told.get("error")) or as_text(told.get("message"))
    if words and not told.keys() - {"error", "message", "status", "code", "documentation_url"}:
        raise InvalidResponseError(f"{source_title} answered with an error: {one_line(words)}.")


def one_line(message: str) -> str:
    """The beginning of somebody else's words, safe to print."""
    shown = "".join(letter if letter.isprintable() else " " for letter in message[:400])
    return " ".join(shown.split())[:200].rstrip(".")


def describe_json(value: Any) -> str:
    """What a value is that should be a list."""
    return "an object" if isinstance(value, dict) else json.dumps(value)[:20]


def as_text(value: Any) -> str:
    return UNSTORABLE_CHARS.sub("", value).strip() if isinstance(value, str) else ""


def as_texts(values: Any) -> tuple[str, ...]:
    """The texts of a list, each once."""
    found = (as_text(value) for value in values) if isinstance(values, list) else ()
    return tuple(dict.fromkeys(value for value in found if value))


def as_dicts(values: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    shown = values if isinstance(values, list) else []
    return [value for value in shown if isinstance(value, dict)]


def parse_count(value: Any) -> int | None:
    """A number of votes or stars; what cannot be one is not known."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value <= MAX_POSTGRES_INTEGER
    ):
        return None
    return int(value)


def parse_date(value: Any) -> date | None:
    """The day in UTC of a date or moment, however written: 2026-6-3, 2026-06-03T01:02:03.456Z."""
    written = as_text(value)
    if not (found := DATE_PATTERN.match(written)):
        return None
    try:
        day = date(*(int(number) for number in found.groups()))
    except ValueError:
        return None
    try:
        moment = datetime.fromisoformat(f"{day.isoformat()}{written[found.end() :]}")
        return moment.astimezone(UTC).date() if moment.tzinfo else day
    except (ValueError, OverflowError):
        return day


def normalise_repo_url(url: str) -> str:
    """The address of the code; for GitHub the repository itself, without a branch or a slash."""
    if GITHUB_OWNER_URL.fullmatch(url):
        return ""
    if found := GITHUB_REPO_URL.fullmatch(url):
        return f"https://github.com/{found[1]}/{found[2]}"
    return url


class PaperIds(TypedDict):
    arxiv_id: str
    doi: str


def paper_ids(arxiv_reference: str, doi: str) -> PaperIds:
    """A record's arXiv id and DOI, where arXiv's own DOI says no more than the id."""
    arxiv_id = identity.parse_arxiv_id(arxiv_reference) or identity.parse_arxiv_id(doi)
    doi = "" if identity.parse_arxiv_id(doi) else identity.parse_doi(doi)
    return {"arxiv_id": arxiv_id or "", "doi": doi}


def require_identity(record: Record) -> Record:
    """The record, if it can be told which paper it is of; raises Rejected."""
    if not (record.arxiv_id or record.doi or (record.title and record.authors)):
        raise RejectedItemError("no arXiv id, DOI or author")
    return record
