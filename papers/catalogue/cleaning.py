"""Turn a record's raw values into readable text that fits the paper's columns.

Pure, apart from Django's URL validator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from papers.sources import Record
from papers.text.latex import latex_to_text

# Longer than in any real paper: a longer value is an error or an attack.
MAX_TITLE_CHARS, MAX_TEXT_CHARS, MAX_NAME_CHARS, MAX_NAMES = 500, 20_000, 200, 5_000
MAX_URL_CHARS = 500

check_url = URLValidator(schemes=["http", "https"])


def clean_record(record: Record) -> dict[str, Any]:
    """Return the paper fields that the record has a value for, cleaned; omit the others."""
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
    present = {name: value for name, value in fields.items() if value}
    # False is a value here: the source states that the paper is not withdrawn.
    return present if record.withdrawn is None else present | {"withdrawn": record.withdrawn}


def clean_names(values: Sequence[str]) -> list[str]:
    """Return at most `MAX_NAMES` cleaned names, without empty ones."""
    names = (clean_text(value, MAX_NAME_CHARS) for value in values[:MAX_NAMES])
    return [name for name in names if name]


def clean_text(raw_text: str, max_chars: int) -> str:
    """Convert LaTeX to plain text and cut it after a whole word, marked by an ellipsis."""
    # LaTeX may need ten characters or more for one visible character, so cut generously first.
    text = latex_to_text(raw_text[: 20 * max_chars])
    if len(text) <= max_chars:
        return text
    cut, next_char = text[: max_chars - 1], text[max_chars - 1]
    ends_inside_word = " " in cut[-80:] and next_char != " "
    whole_words = cut.rsplit(" ", 1)[0] if ends_inside_word else cut
    return f"{whole_words.rstrip(' ,;:.–—-')}…"


def clean_url(url: str) -> str:
    """Return the URL if it is safe to link to, else an empty string.

    A URL with credentials is refused: https://bank.example@evil.example leads to evil.example.
    """
    url = url.strip()
    try:
        check_url(url)
    except ValidationError:
        return ""
    return "" if len(url) > MAX_URL_CHARS or urlsplit(url).username is not None else url
