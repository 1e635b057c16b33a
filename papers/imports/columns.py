"""What people call the parts of a paper in their files, and how they write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from papers import identity
from papers.sources import Record
from papers.sources.json_values import (
    RejectedItemError,
    as_text,
    as_texts,
    normalise_repo_url,
    parse_date,
)

# Each part's names without case, blanks and signs, the surest first.
COLUMN_ALIASES: dict[str, tuple[str, ...]] = {
    "arxiv": ("arxivid", "arxiv", "arxividentifier", "eprint", "arxivurl"),
    "doi": ("doi", "doiurl", "digitalobjectidentifier"),
    # They may hold an arXiv id or a DOI, or the address of one.
    "number": ("id", "paperid", "identifier", "entryid", "url", "link", "absurl", "pdfurl", "pdf"),
    "title": ("title", "papertitle", "articletitle", "documenttitle", "displayname", "name"),
    "abstract": ("abstract", "abstractnote", "paperabstract", "summary", "description"),
    "authors": ("authors", "author", "authornames", "authorfullnames", "creators", "creator"),
    "published": (
        "publishedon",
        "published",
        "publishedat",
        "publicationdate",
        "datepublished",
        "submittedon",
        "submitted",
        "date",
    ),
    "listed": ("listedon",),
    "categories": ("categories", "arxivcategories", "category", "primarycategory", "subjects"),
    "keywords": ("keywords", "authorkeywords", "tags", "manualtags", "aikeywords"),
    "code": ("codeurl", "code", "githubrepo", "githuburl", "github", "repository", "repo"),
    "project": ("projecturl", "projectpage", "project", "homepage"),
    "organization": ("organization", "organisation", "institution"),
    "machine": ("machinesummary", "aisummary", "tldr"),
}
# What other people's answers wrap a paper or its numbers in.
WRAPPER_KEYS = ("item", "paper", "externalIds")
ARXIV_CATEGORY = re.compile(
    r"""\b(?: (?:astro-ph|cond-mat|cs|econ|eess|math|nlin|physics|q-bio|q-fin|stat)\.[A-Za-z-]{2,15}
    | astro-ph | cond-mat | gr-qc | hep-(?:ex|lat|ph|th) | math-ph | nucl-(?:ex|th) | quant-ph )\b
    """,
    re.VERBOSE,
)
LONG_DATE_FORMATS = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y")


def fold_column_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def build_record(row: Mapping[str, Any]) -> Record:
    """One entry as a record, whatever its parts are called; raises Rejected."""
    parts = {fold_column_name(name): value for name, value in flatten_row(row).items() if value}

    def values(part: str) -> Iterator[Any]:
        return (parts[name] for name in COLUMN_ALIASES[part] if name in parts)

    def first(part: str) -> str:
        return next((found for value in values(part) if (found := as_text(value))), "")

    if not (title := first("title")):
        raise RejectedItemError("no title")
    written = [as_text(str(value)) for part in ("arxiv", "doi", "number") for value in values(part)]
    return Record(
        arxiv_id=next((found for each in written if (found := identity.parse_arxiv_id(each))), ""),
        doi=next((found for each in written if (found := publisher_doi(each))), ""),
        title=title,
        abstract=first("abstract"),
        authors=parse_authors(next(values("authors"), None)),
        published_on=next(
            (day for value in values("published") if (day := parse_unambiguous_date(value))), None
        ),
        listed_on=next(
            (day for value in values("listed") if (day := parse_unambiguous_date(value))), None
        ),
        machine_summary=parse_summary(next(values("machine"), None)),
        organization=first("organization"),
        categories=parse_categories(values("categories")),
        keywords=parse_keywords(next(values("keywords"), None)),
        code_url=normalise_repo_url(first("code")),
        project_url=first("project"),
    )


def flatten_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with what is wrapped in it, which knows better."""
    flat = dict(row)
    for name in WRAPPER_KEYS:
        if isinstance(inner := flat.pop(name, None), Mapping):
            flat |= inner
    return flat


def publisher_doi(value: str) -> str:
    """A DOI that is not arXiv's own, which says no more than the id."""
    return "" if identity.parse_arxiv_id(value) else identity.parse_doi(value)


def parse_summary(value: Any) -> str:
    return as_text(value.get("text")) if isinstance(value, Mapping) else as_text(value)


def parse_categories(values: Iterator[Any]) -> tuple[str, ...]:
    """arXiv's among them, also where they stand behind their names: Robotics (cs.RO)."""
    written = [
        " ".join(as_texts(value)) if isinstance(value, list) else as_text(value) for value in values
    ]
    return tuple(dict.fromkeys(ARXIV_CATEGORY.findall(" ".join(written))))


def parse_keywords(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return as_texts(value)
    return as_texts(
        re.split(r"\s*[;|]\s*" if ";" in as_text(value) else r"\s*[,|]\s*", as_text(value))
    )


def parse_authors(value: Any) -> tuple[str, ...]:
    """Names from a list of names or objects, or from a text in one of the usual ways."""
    if isinstance(value, list):
        return as_texts([author_name(each) for each in value])
    return as_texts(split_author_names(as_text(value)))


def author_name(author: Any) -> str:
    if not isinstance(author, Mapping):
        return as_text(author)
    parts = {
        fold_column_name(name): as_text(value)
        for name, value in author.items()
        if isinstance(name, str)
    }
    whole = next(
        (parts[name] for name in ("name", "fullname", "displayname") if parts.get(name)), ""
    )
    given = parts.get("given") or parts.get("first") or parts.get("firstname") or ""
    family = parts.get("family") or parts.get("last") or parts.get("lastname") or ""
    return whole or f"{given} {family}".strip()


def split_author_names(authors_text: str) -> list[str]:
    """Ada Lovelace; Grace Hopper - Lovelace, Ada and Hopper, Grace - A. Lovelace, G. Hopper."""
    if ";" in authors_text:
        return [reverse_name(name) for name in authors_text.split(";")]
    parts = re.split(r",?\s+(?:and|&)\s+", authors_text)
    if len(parts) > 1 and all(part.count(",") == 1 for part in parts):
        return [reverse_name(part) for part in parts]
    names = [name.strip() for part in parts for name in part.split(",")]
    if all(" " in name or "." in name for name in names) or len(names) % 2:
        return names
    return [reverse_name(f"{names[at]}, {names[at + 1]}") for at in range(0, len(names), 2)]


def reverse_name(name: str) -> str:
    """Ada Lovelace, who is listed as Lovelace, Ada."""
    family, comma, given = name.strip().partition(",")
    return f"{given.strip()} {family.strip()}" if comma and "," not in given else name.strip()


def parse_unambiguous_date(value: Any) -> date | None:
    """A day that leaves no doubt: neither 3/4/2026 nor a year or month alone is one."""
    written = as_text(value)
    if re.match(r"\d{4}[/.]\d{1,2}[/.]\d{1,2}", written):
        written = re.sub("[/.]", "-", written[:10].split(" ")[0])
    if day := parse_date(written):
        return day
    for form in LONG_DATE_FORMATS:
        try:
            return datetime.strptime(written, form).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(written).date() if "," in written else None
    except ValueError:
        return None
