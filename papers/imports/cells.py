"""Parse what people write into the columns of a paper: authors, dates, categories, identifiers.

What cannot be parsed becomes None or empty: a bad value must not cost the paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from papers import identity
from papers.sources.json_values import as_text, as_texts, parse_date
from papers.text.authors import given_name_first

ARXIV_CATEGORY = re.compile(
    r"""\b(?: (?:astro-ph|cond-mat|cs|econ|eess|math|nlin|physics|q-bio|q-fin|stat)\.[A-Za-z-]{2,15}
    | astro-ph | cond-mat | gr-qc | hep-(?:ex|lat|ph|th) | math-ph | nucl-(?:ex|th) | quant-ph )\b
    """,
    re.VERBOSE,
)
LONG_DATE_FORMATS = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y")


def parse_publisher_doi(text: str) -> str:
    """Return a DOI, or "" for one that arXiv assigned: it only repeats the arXiv id."""
    return "" if identity.parse_arxiv_id(text) else identity.parse_doi(text)


def parse_machine_summary(value: Any) -> str:
    """Return a generated summary, from text or from an object as Semantic Scholar's `tldr` is."""
    return as_text(value.get("text")) if isinstance(value, Mapping) else as_text(value)


def parse_categories(values: Iterable[Any]) -> tuple[str, ...]:
    """Return the arXiv categories, also from text such as "Robotics (cs.RO)"."""
    texts = [" ".join(as_texts(v)) if isinstance(v, list) else as_text(v) for v in values]
    return tuple(dict.fromkeys(ARXIV_CATEGORY.findall(" ".join(texts))))


def parse_keywords(value: Any) -> tuple[str, ...]:
    """Return the keywords of a list, or of a text with semicolons, bars or else commas."""
    if isinstance(value, list):
        return as_texts(value)
    text = as_text(value)
    return as_texts(re.split(r"\s*[;|]\s*" if ";" in text else r"\s*[,|]\s*", text))


def parse_authors(value: Any) -> tuple[str, ...]:
    """Return the names in a list of names or objects, or in a text in one of the usual forms."""
    if isinstance(value, list):
        return as_texts([author_name(author) for author in value])
    return as_texts(split_author_names(as_text(value)))


def author_name(author: Any) -> str:
    """Return the name of an author who may be an object with the whole name or its parts."""
    if not isinstance(author, Mapping):
        return as_text(author)
    parts = {
        fold_column_name(name): as_text(value)
        for name, value in author.items()
        if isinstance(name, str)
    }

    def first(*names: str) -> str:
        return next((parts[name] for name in names if parts.get(name)), "")

    whole_name = first("name", "fullname", "displayname")
    given, family = first("given", "first", "firstname"), first("family", "last", "lastname")
    return whole_name or f"{given} {family}".strip()


def fold_column_name(name: str) -> str:
    """Return the letters and digits in lower case: "Arxiv ID" and "arxiv_id" are equal."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def split_author_names(text: str) -> list[str]:
    """Split a text of names.

    The usual forms are "Ada Lovelace; Grace Hopper", "Lovelace, Ada and Hopper, Grace" and
    "A. Lovelace, G. Hopper". Commas alone are ambiguous: they separate authors if each part looks
    like a whole name, or if the parts do not make pairs.
    """
    if ";" in text:
        return [given_name_first(name) for name in text.split(";")]
    parts = re.split(r",?\s+(?:and|&)\s+", text)
    if len(parts) > 1 and all(part.count(",") == 1 for part in parts):
        return [given_name_first(part) for part in parts]
    names = [name.strip() for part in parts for name in part.split(",")]
    if all(" " in name or "." in name for name in names) or len(names) % 2:
        return names
    return [f"{given} {surname}" for surname, given in zip(names[::2], names[1::2], strict=True)]


def parse_unambiguous_date(value: Any) -> date | None:
    """Return a day, but None for 3/4/2026, which may be in March or April, and for a year alone."""
    text = as_text(value)
    if re.match(r"\d{4}[/.]\d{1,2}[/.]\d{1,2}", text):
        text = re.sub("[/.]", "-", text[:10].split(" ")[0])
    if day := parse_date(text):
        return day
    for date_format in LONG_DATE_FORMATS:
        try:
            return datetime.strptime(text, date_format).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text).date() if "," in text else None
    except ValueError:
        return None
