"""What stands in an answer, as what it should be, or as nothing: no source keeps its promises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, TypedDict

from papers import identity
from papers.sources import Answer, MalformedAnswer, Record

# PostgreSQL's largest integer.
MOST = 2**31 - 1

GITHUB = re.compile(
    r"(?:https?://)?(?:www\.)?github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?(?:[/?#].*)?"
)
GITHUB_OWNER = re.compile(r"(?:https?://)?(?:www\.)?github\.com(?:/[\w.-]*)?/?")
# No database keeps a nought or half a character.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")


class Rejected(Exception):
    """An item that is no paper; says why in a few words."""


class Unknown(Rejected):
    """An item that only says that the source does not know the paper: no fault of the answer."""


def answer_of(items: Iterable[Any], read: Callable[[Any], Record], title: str) -> Answer:
    """A record or a reason for each item; MalformedAnswer if none is what it should be."""
    records: dict[str, Record] = {}
    rejected: list[str] = []
    malformed = True
    for item in items:
        try:
            record = read(item)
        except Rejected as reason:
            rejected.append(str(reason))
            malformed &= not isinstance(reason, Unknown)
            continue
        if (key := key_of(record)) in records:
            rejected.append("told twice")
        records.setdefault(key, record)
    if rejected and not records and malformed:
        raise MalformedAnswer(
            f"None of the {len(rejected)} items is a paper of {title} ({rejected[0]})."
        )
    return Answer(records=tuple(records.values()), rejected=tuple(rejected))


def key_of(record: Record) -> str:
    """What tells the records of one answer apart."""
    if not (record.arxiv_id or record.doi or record.title):
        return record.code_url
    return identity.of(record.arxiv_id, record.doi, record.title, record.authors)


def json_value(body: bytes) -> Any:
    """What an answer says; MalformedAnswer if it is not JSON."""
    if not body.strip():
        raise MalformedAnswer("The answer is empty.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise MalformedAnswer(f"The answer is not JSON, or was cut off{where}.") from None


def check_error(value: Any, title: str) -> None:
    """MalformedAnswer if the answer only says what went wrong, in the source's own words."""
    told = value if isinstance(value, dict) else {}
    words = text(told.get("error")) or text(told.get("message"))
    if words and not told.keys() - {"error", "message", "status", "code", "documentation_url"}:
        raise MalformedAnswer(f"{title} answered with an error: {one_line(words)}.")


def one_line(words: str) -> str:
    """The beginning of somebody else's words, safe to print."""
    shown = "".join(letter if letter.isprintable() else " " for letter in words[:400])
    return " ".join(shown.split())[:200].rstrip(".")


def kind_of(value: Any) -> str:
    """What a value is that should be a list."""
    return "an object" if isinstance(value, dict) else json.dumps(value)[:20]


def text(value: Any) -> str:
    return UNSTORABLE.sub("", value).strip() if isinstance(value, str) else ""


def texts(values: Any) -> tuple[str, ...]:
    """The texts of a list, each once."""
    found = (text(value) for value in values) if isinstance(values, list) else ()
    return tuple(dict.fromkeys(value for value in found if value))


def dicts(values: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    shown = values if isinstance(values, list) else []
    return [value for value in shown if isinstance(value, dict)]


def count(value: Any) -> int | None:
    """A number of votes or stars; what cannot be one is not known."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        return None
    return int(value)


def day_of(value: Any) -> date | None:
    """The day in UTC of a date or moment, however written: 2026-6-3, 2026-06-03T01:02:03.456Z."""
    written = text(value)
    if not (found := DAY.match(written)):
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


def repository(url: str) -> str:
    """The address of the code; for GitHub the repository itself, without a branch or a slash."""
    if GITHUB_OWNER.fullmatch(url):
        return ""
    if found := GITHUB.fullmatch(url):
        return f"https://github.com/{found[1]}/{found[2]}"
    return url


class Numbers(TypedDict):
    arxiv_id: str
    doi: str


def numbers(arxiv: str, doi: str) -> Numbers:
    """A record's arXiv id and DOI, where arXiv's own DOI says no more than the id."""
    arxiv_id = identity.arxiv_id(arxiv) or identity.arxiv_id(doi)
    doi = "" if identity.arxiv_id(doi) else identity.doi(doi)
    return {"arxiv_id": arxiv_id or "", "doi": doi}


def identified(record: Record) -> Record:
    """The record, if it can be told which paper it is of; raises Rejected."""
    if not (record.arxiv_id or record.doi or (record.title and record.authors)):
        raise Rejected("no arXiv id, DOI or author")
    return record
