"""What a record tells, as people read it and as long as its columns are (pure but for URLs)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from papers.sources import Record
from papers.text.latex import readable

# Beyond any real paper; what is longer is a mistake or mischief.
LONGEST_TITLE, LONGEST_TEXT, LONGEST_NAME, MOST_NAMES = 500, 20_000, 200, 5_000
LONGEST_URL = 500

check_url = URLValidator(schemes=["http", "https"])


def tidy(record: Record) -> dict[str, Any]:
    """The fields of a paper that the record tells of: what it does not say is left out."""
    fields = {
        "title": as_text(record.title, LONGEST_TITLE),
        "abstract": as_text(record.abstract, LONGEST_TEXT),
        "machine_summary": as_text(record.machine_summary, LONGEST_TEXT),
        "authors": names(record.authors),
        "organization": as_text(record.organization, LONGEST_NAME),
        "categories": names(record.categories),
        "keywords": names(record.keywords),
        "published_on": record.published_on,
        "listed_on": record.listed_on,
        "code_url": web_address(record.code_url),
        "project_url": web_address(record.project_url),
    }
    told = {name: value for name, value in fields.items() if value}
    return told if record.withdrawn is None else told | {"withdrawn": record.withdrawn}


def names(values: Sequence[str]) -> list[str]:
    found = (as_text(value, LONGEST_NAME) for value in values[:MOST_NAMES])
    return [name for name in found if name]


def as_text(written: str, longest: int) -> str:
    """Readable and, where it is too long, cut after a whole word, saying so."""
    # TeX takes up to some ten characters for one that is read.
    text = readable(written[: 20 * longest])
    if len(text) <= longest:
        return text
    cut, following = text[: longest - 1], text[longest - 1]
    whole = cut.rsplit(" ", 1)[0] if " " in cut[-80:] and following != " " else cut
    return f"{whole.rstrip(' ,;:.–—-')}…"


def web_address(url: str) -> str:
    """The URL if a reader may be sent there, else nothing: https://bank.example@evil.example."""
    url = url.strip()
    try:
        check_url(url)
    except ValidationError:
        return ""
    return "" if len(url) > LONGEST_URL or urlsplit(url).username is not None else url
