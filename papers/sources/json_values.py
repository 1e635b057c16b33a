"""Read values from JSON defensively: what has the wrong type or form becomes None or empty."""

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
# PostgreSQL stores neither a NUL nor half a surrogate pair.
UNSTORABLE_CHARS = re.compile("[\x00\ud800-\udfff]")
# An object with no other keys is an error message.
ERROR_KEYS = frozenset({"error", "message", "status", "code", "documentation_url"})
DATE_PATTERN = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")


class RejectedItemError(Exception):
    """An item that is not a paper; the message is the reason in a few words."""


class NotFoundAtSourceError(RejectedItemError):
    """An item that stands for a paper unknown to the source. The response as a whole is valid."""


def parse_items(
    items: Iterable[Any], parse_item: Callable[[Any], Record], source_title: str
) -> SourceResponse:
    """Return a record or a reason for each item.

    Raise InvalidResponseError if every item is rejected, unless the source just does not know the
    papers.
    """
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
            rejected.append("duplicate")
        records.setdefault(key, record)
    if rejected and not records and malformed:
        raise InvalidResponseError(
            f"None of the {len(rejected)} items is a paper of {source_title} ({rejected[0]})."
        )
    return SourceResponse(records=tuple(records.values()), rejected=tuple(rejected))


def record_key(record: Record) -> str:
    """Return the key by which two records of one response are duplicates."""
    if not (record.arxiv_id or record.doi or record.title):
        return record.code_url
    return identity.identity_for(record.arxiv_id, record.doi, record.title, record.authors)


def parse_json(body: bytes) -> Any:
    """Return the value of a response; raise InvalidResponseError if it is not JSON."""
    if not body.strip():
        raise InvalidResponseError("The answer is empty.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        place = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidResponseError(f"The answer is not JSON, or was cut off{place}.") from None


def raise_for_error(value: Any, source_title: str) -> None:
    """Raise InvalidResponseError with the source's message if the response is only an error."""
    fields = value if isinstance(value, dict) else {}
    message = as_text(fields.get("error")) or as_text(fields.get("message"))
    if message and not fields.keys() - ERROR_KEYS:
        raise InvalidResponseError(f"{source_title} answered with an error: {one_line(message)}.")


def one_line(message: str) -> str:
    """Return the beginning of a foreign text in one line, without control characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in message[:400])
    return " ".join(printable.split())[:200].rstrip(".")


def describe_json(value: Any) -> str:
    """Return what a value is, for an error message, where a list was expected."""
    return "an object" if isinstance(value, dict) else json.dumps(value)[:20]


def as_text(value: Any) -> str:
    """Return a text stripped and storable; return "" for any other value."""
    return UNSTORABLE_CHARS.sub("", value).strip() if isinstance(value, str) else ""


def as_texts(values: Any) -> tuple[str, ...]:
    """Return the distinct, non-empty texts of a list."""
    texts = (as_text(value) for value in values) if isinstance(values, list) else ()
    return tuple(dict.fromkeys(text for text in texts if text))


def as_dicts(values: Any) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    items = values if isinstance(values, list) else []
    return [item for item in items if isinstance(item, dict)]


def parse_count(value: Any) -> int | None:
    """Return a count of votes or stars; return None for what cannot be one."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value <= MAX_POSTGRES_INTEGER
    ):
        return None
    return int(value)


def parse_date(value: Any) -> date | None:
    """Return the day in UTC of a date or moment: 2026-6-3, 2026-06-03T01:02:03.456Z."""
    text = as_text(value)
    if not (match := DATE_PATTERN.match(text)):
        return None
    try:
        day = date(*(int(number) for number in match.groups()))
    except ValueError:
        return None
    try:
        moment = datetime.fromisoformat(f"{day.isoformat()}{text[match.end() :]}")
        return moment.astimezone(UTC).date() if moment.tzinfo else day
    except (ValueError, OverflowError):
        return day


def normalise_repo_url(url: str) -> str:
    """Return the URL of a GitHub repository without branch, query or ".git".

    Return "" for a page of GitHub's that belongs to no repository, and any other URL as it is.
    """
    if GITHUB_OWNER_URL.fullmatch(url):
        return ""
    if match := GITHUB_REPO_URL.fullmatch(url):
        return f"https://github.com/{match[1]}/{match[2]}"
    return url


class PaperIds(TypedDict):
    arxiv_id: str
    doi: str


def paper_ids(arxiv_reference: str, doi: str) -> PaperIds:
    """Return a record's identifiers; drop the DOI that arXiv derives from its own id."""
    arxiv_id = identity.parse_arxiv_id(arxiv_reference) or identity.parse_arxiv_id(doi)
    doi = "" if identity.parse_arxiv_id(doi) else identity.parse_doi(doi)
    return {"arxiv_id": arxiv_id or "", "doi": doi}


def require_identity(record: Record) -> Record:
    """Return the record; raise RejectedItemError if it cannot be matched to a paper."""
    if not (record.arxiv_id or record.doi or (record.title and record.authors)):
        raise RejectedItemError("no arXiv id, DOI or author")
    return record
