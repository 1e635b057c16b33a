"""What a record tells, as people read it and as long as its columns are (pure but for URLs)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from papers.sources import Record
from papers.text.latex import latex_to_text

# Beyond any real paper; what is longer is a mistake or mischief.
MAX_TITLE_CHARS, MAX_TEXT_CHARS, MAX_NAME_CHARS, MAX_NAMES = 500, 20_000, 200, 5_000
MAX_URL_CHARS = 500

check_url = URLValidator(schemes=["http", "https"])


def clean_record(record: Record) -> dict[str, Any]:
    """The fields of a paper that the record tells of: what it does not say is left out."""
    fields = {
        "title": clean_text(record.title, MAX_TITLE_CHARS),
        "abstract": clean_text(record.abstract, MAX_TEXT_CHARS),
        "machine_summary": clean_text(record.machine_summary, MAX_TEXT_CHARS),
        "authors": clean_names(record.authors),
        "organization": clean_text(record.organization, MAX_NAME_CHARS),
        "categories": clean_names(record.categories),
        "keywords": clean_names(record.keywords),
        "published_on": record.published_on,
        "listed_on": record.listed_on,
        "code_url": clean_url(record.code_url),
        "project_url": clean_url(record.project_url),
    }
    told = {name: value for name, value in fields.items() if value}
    return told if record.withdrawn is None else told | {"withdrawn": record.withdrawn}


def clean_names(values: Sequence[str]) -> list[str]:
    found = (clean_text(value, MAX_NAME_CHARS) for value in values[:MAX_NAMES])
    return [name for name in found if name]


def clean_text(raw_text: str, max_chars: int) -> str:
    """Readable and, where it is too long, cut after a whole word, saying so."""
    # TeX takes up to some ten characters for one that is read.
    text = latex_to_text(raw_text[: 20 * max_chars])
    if len(text) <= max_chars:
        return text
    cut, following = text[: max_chars - 1], text[max_chars - 1]
    whole = cut.rsplit(" ", 1)[0] if " " in cut[-80:] and following != " " else cut
    return f"{whole.rstrip(' ,;:.–—-')}…"


def clean_url(url: str) -> str:
    """The URL if a reader may be sent there, else nothing: https://bank.example@evil.example."""
    url = url.strip()
    try:
        check_url(url)
    except ValidationError:
        return ""
    return "" if len(url) > MAX_URL_CHARS or urlsplit(url).username is not None else url
