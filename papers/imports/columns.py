"""Build a record from named columns: which names a column may have, and how it is parsed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from papers import identity
from papers.imports import cells
from papers.sources import Record
from papers.sources.json_values import RejectedItemError, as_text, normalise_repo_url

# Objects in which other people's files wrap a paper or its identifiers.
WRAPPER_KEYS = ("item", "paper", "externalIds")

Parser = Callable[[list[Any]], Any]


class Column(NamedTuple):
    """The names that a column of a record may have, and the parser of their values."""

    # As `cells.fold_column_name` returns them, in order of precedence.
    names: tuple[str, ...]
    # Called with the values of all the names that a row has.
    parse: Parser


def first_text(values: Iterable[Any]) -> str:
    """Return the first value that is a text and not empty, or ""."""
    return next(filter(None, map(as_text, values)), "")


def first_parsed(parse: Callable[[Any], Any], default: Any) -> Parser:
    """Return a parser that takes the first value that can be parsed."""
    return lambda values: next(filter(None, map(parse, values)), default)


def only_first(parse: Callable[[Any], Any]) -> Parser:
    """Return a parser that takes the first value, whatever it is."""
    return lambda values: parse(next(iter(values), None))


def first_identifier(parse: Callable[[str], str | None]) -> Parser:
    """Return a parser that takes the first identifier; a number is read as text."""
    return first_parsed(lambda value: parse(as_text(str(value))), "")


# Any of these may hold an arXiv id, a DOI, or the URL of one.
IDENTIFIER_NAMES = (
    *("arxivid", "arxiv", "arxividentifier", "eprint", "arxivurl"),
    *("doi", "doiurl", "digitalobjectidentifier"),
    *("id", "paperid", "identifier", "entryid", "url", "link", "absurl", "pdfurl", "pdf"),
)
DATE_NAMES = (
    *("publishedon", "published", "publishedat", "publicationdate", "datepublished"),
    *("submittedon", "submitted", "date"),
)
# By the field of the record.
COLUMNS = {
    "arxiv_id": Column(IDENTIFIER_NAMES, first_identifier(identity.parse_arxiv_id)),
    "doi": Column(IDENTIFIER_NAMES, first_identifier(cells.parse_publisher_doi)),
    "title": Column(
        ("title", "papertitle", "articletitle", "documenttitle", "displayname", "name"), first_text
    ),
    "abstract": Column(
        ("abstract", "abstractnote", "paperabstract", "summary", "description"), first_text
    ),
    "authors": Column(
        ("authors", "author", "authornames", "authorfullnames", "creators", "creator"),
        only_first(cells.parse_authors),
    ),
    "published_on": Column(DATE_NAMES, first_parsed(cells.parse_unambiguous_date, None)),
    "listed_on": Column(("listedon",), first_parsed(cells.parse_unambiguous_date, None)),
    "machine_summary": Column(
        ("machinesummary", "aisummary", "tldr"), only_first(cells.parse_machine_summary)
    ),
    "organization": Column(("organization", "organisation", "institution"), first_text),
    "categories": Column(
        ("categories", "arxivcategories", "category", "primarycategory", "subjects"),
        cells.parse_categories,
    ),
    "keywords": Column(
        ("keywords", "authorkeywords", "tags", "manualtags", "aikeywords"),
        only_first(cells.parse_keywords),
    ),
    "code_url": Column(
        ("codeurl", "code", "githubrepo", "githuburl", "github", "repository", "repo"),
        lambda values: normalise_repo_url(first_text(values)),
    ),
    "project_url": Column(("projecturl", "projectpage", "project", "homepage"), first_text),
}
KNOWN_NAMES = frozenset(itertools.chain.from_iterable(column.names for column in COLUMNS.values()))


def build_record(row: Mapping[str, Any]) -> Record:
    """Return the record of a row, whatever its columns are called.

    Raise RejectedItemError if it has no title. Other missing or bad values are left empty.
    """
    cells_by_name = {
        cells.fold_column_name(name): value for name, value in flatten_row(row).items() if value
    }
    fields = {
        field: column.parse([cells_by_name[name] for name in column.names if name in cells_by_name])
        for field, column in COLUMNS.items()
    }
    if not fields["title"]:
        raise RejectedItemError("no title")
    return Record(**fields)


def flatten_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row merged with the objects wrapped in it, which take precedence."""
    flat = dict(row)
    for name in WRAPPER_KEYS:
        if isinstance(inner := flat.pop(name, None), Mapping):
            flat |= inner
    return flat
