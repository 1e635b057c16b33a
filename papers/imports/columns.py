"""What people call the parts of a paper in their files, and how they write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from papers import identity
from papers.sources import Record
from papers.sources.json_values import Rejected, day_of, repository, text, texts

# Each part's names without case, blanks and signs, the surest first.
NAMES: dict[str, tuple[str, ...]] = {
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
WRAPPERS = ("item", "paper", "externalIds")
CATEGORY = re.compile(
    r"""\b(?: (?:astro-ph|cond-mat|cs|econ|eess|math|nlin|physics|q-bio|q-fin|stat)\.[A-Za-z-]{2,15}
    | astro-ph | cond-mat | gr-qc | hep-(?:ex|lat|ph|th) | math-ph | nucl-(?:ex|th) | quant-ph )\b
    """,
    re.VERBOSE,
)
LONG_DATES = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y")


def folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def record(row: Mapping[str, Any]) -> Record:
    """One entry as a record, whatever its parts are called; raises Rejected."""
    parts = {folded(name): value for name, value in unwrapped(row).items() if value}

    def values(part: str) -> Iterator[Any]:
        return (parts[name] for name in NAMES[part] if name in parts)

    def first(part: str) -> str:
        return next((found for value in values(part) if (found := text(value))), "")

    if not (title := first("title")):
        raise Rejected("no title")
    written = [text(str(value)) for part in ("arxiv", "doi", "number") for value in values(part)]
    return Record(
        arxiv_id=next((found for each in written if (found := identity.arxiv_id(each))), ""),
        doi=next((found for each in written if (found := publishers_doi(each))), ""),
        title=title,
        abstract=first("abstract"),
        authors=people(next(values("authors"), None)),
        published_on=next(
            (day for value in values("published") if (day := written_day(value))), None
        ),
        listed_on=next((day for value in values("listed") if (day := written_day(value))), None),
        machine_summary=summary(next(values("machine"), None)),
        organization=first("organization"),
        categories=categories(values("categories")),
        keywords=phrases(next(values("keywords"), None)),
        code_url=repository(first("code")),
        project_url=first("project"),
    )


def unwrapped(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with what is wrapped in it, which knows better."""
    flat = dict(row)
    for name in WRAPPERS:
        if isinstance(inner := flat.pop(name, None), Mapping):
            flat |= inner
    return flat


def publishers_doi(written: str) -> str:
    """A DOI that is not arXiv's own, which says no more than the id."""
    return "" if identity.arxiv_id(written) else identity.doi(written)


def summary(value: Any) -> str:
    return text(value.get("text")) if isinstance(value, Mapping) else text(value)


def categories(values: Iterator[Any]) -> tuple[str, ...]:
    """arXiv's among them, also where they stand behind their names: Robotics (cs.RO)."""
    written = [
        " ".join(texts(value)) if isinstance(value, list) else text(value) for value in values
    ]
    return tuple(dict.fromkeys(CATEGORY.findall(" ".join(written))))


def phrases(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return texts(value)
    return texts(re.split(r"\s*[;|]\s*" if ";" in text(value) else r"\s*[,|]\s*", text(value)))


def people(value: Any) -> tuple[str, ...]:
    """Names from a list of names or objects, or from a text in one of the usual ways."""
    if isinstance(value, list):
        return texts([name_of(each) for each in value])
    return texts(names_in(text(value)))


def name_of(person: Any) -> str:
    if not isinstance(person, Mapping):
        return text(person)
    parts = {folded(name): text(value) for name, value in person.items() if isinstance(name, str)}
    whole = next(
        (parts[name] for name in ("name", "fullname", "displayname") if parts.get(name)), ""
    )
    given = parts.get("given") or parts.get("first") or parts.get("firstname") or ""
    family = parts.get("family") or parts.get("last") or parts.get("lastname") or ""
    return whole or f"{given} {family}".strip()


def names_in(written: str) -> list[str]:
    """Ada Lovelace; Grace Hopper - Lovelace, Ada and Hopper, Grace - A. Lovelace, G. Hopper."""
    if ";" in written:
        return [turned(name) for name in written.split(";")]
    parts = re.split(r",?\s+(?:and|&)\s+", written)
    if len(parts) > 1 and all(part.count(",") == 1 for part in parts):
        return [turned(part) for part in parts]
    names = [name.strip() for part in parts for name in part.split(",")]
    if all(" " in name or "." in name for name in names) or len(names) % 2:
        return names
    return [turned(f"{names[at]}, {names[at + 1]}") for at in range(0, len(names), 2)]


def turned(name: str) -> str:
    """Ada Lovelace, who is listed as Lovelace, Ada."""
    family, comma, given = name.strip().partition(",")
    return f"{given.strip()} {family.strip()}" if comma and "," not in given else name.strip()


def written_day(value: Any) -> date | None:
    """A day that leaves no doubt: neither 3/4/2026 nor a year or month alone is one."""
    written = text(value)
    if re.match(r"\d{4}[/.]\d{1,2}[/.]\d{1,2}", written):
        written = re.sub("[/.]", "-", written[:10].split(" ")[0])
    if day := day_of(written):
        return day
    for form in LONG_DATES:
        try:
            return datetime.strptime(written, form).date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(written).date() if "," in written else None
    except ValueError:
        return None
