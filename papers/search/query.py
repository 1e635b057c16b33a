"""What a reader types into the search box becomes terms; whatever it is, it is never an error.

graph "message passing" -survey author:"Ada Lovelace" topic:robotics category:cs.LG
since:2026-05-01
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from papers.identity import parse_arxiv_id
from papers.text.tokens import tokenize

# More than anybody types; the rest is not looked at.
MAX_QUERY_CHARS, MAX_TERMS = 500, 16

TERM_PATTERN = re.compile(
    r"""
    (?<!\S) (?P<excluded>-)?
    (?: (?P<field>author|topic|category|since) : \s* )?
    (?: "(?P<phrase>[^"]*)" | (?P<word>\S+) )
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """Words that must stand in a row; in one field, or anywhere if it has no name."""

    tokens: tuple[str, ...]
    field: str = ""
    excluded: bool = False
    # As it was typed: without its field and quotes, and as a whole.
    raw_text: str = dataclasses.field(default="", compare=False)
    raw_term: str = dataclasses.field(default="", compare=False)

    @property
    def is_bare_word(self) -> bool:
        return not self.field and not self.excluded and len(self.tokens) == 1


@dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[QueryTerm, ...] = ()
    since: date | None = None
    # Not to be typed: the API has a parameter for it.
    until: date | None = None
    # What could not be understood, as it was typed.
    ignored: tuple[str, ...] = ()

    @property
    def is_searchable(self) -> bool:
        """To leave papers out, or to say since when, is not to say what is looked for."""
        return any(not term.excluded for term in self.terms)

    @property
    def relaxed_text(self) -> str:
        """The same words, wherever they stand and whenever; nothing if that is what was asked."""
        if all(term.is_bare_word for term in self.terms) and not self.since:
            return ""
        kept = [term for term in self.terms if not term.excluded and term.field != "category"]
        return " ".join(term.raw_text for term in kept)

    @property
    def free_text(self) -> str:
        """What the papers should be about, as a text."""
        kept = [term for term in self.terms if not term.excluded and not term.field]
        return " ".join(term.raw_text for term in kept)

    @property
    def is_unfiltered(self) -> bool:
        """No author, topic, category, day or missing word is asked for."""
        return not self.since and not any(term.field or term.excluded for term in self.terms)

    def without(self, terms: Collection[QueryTerm]) -> str:
        """The rest of the question, as it was typed; nothing if the rest asks for nothing."""
        kept = dataclasses.replace(self, terms=tuple(t for t in self.terms if t not in terms))
        since = [f"since:{self.since}"] if self.since else []
        whole = [term.raw_term for term in kept.terms]
        return " ".join([*whole, *since]) if kept.is_searchable else ""

    def highlight_terms(self, *fields: str) -> list[tuple[str, ...]]:
        """The words to mark in a text of these fields."""
        wanted = [term for term in self.terms if not term.excluded]
        return [term.tokens for term in wanted if term.field in {"", *fields}]


def parse_query(raw_query: str) -> Query:
    """An address or a number of arXiv is that paper; else every term must be met."""
    if identity := parse_arxiv_id(raw_query):
        return Query(
            terms=(QueryTerm(tuple(tokenize(identity)), raw_text=identity, raw_term=identity),)
        )
    terms: list[QueryTerm] = []
    ignored: list[str] = []
    since = None
    for found in TERM_PATTERN.finditer(raw_query[:MAX_QUERY_CHARS]):
        text = found["word"] if found["phrase"] is None else found["phrase"]
        field = (found["field"] or "").lower()
        if field == "since":
            since = parse_since(text) or since
            if found["excluded"] or not parse_since(text):
                ignored.append(found.group())
            continue
        excluded = found["excluded"] is not None
        whole = found.group().strip()
        term = QueryTerm(
            tokens_for_field(field, text), field, excluded, raw_text=text, raw_term=whole
        )
        if term.tokens and term not in terms and len(terms) < MAX_TERMS:
            terms.append(term)
    return Query(tuple(terms), since, ignored=tuple(ignored))


def tokens_for_field(field: str, text: str) -> tuple[str, ...]:
    if field == "category":
        name = category_token(text)
        return (name,) if name else ()
    return tuple(tokenize(text))


def category_token(name: str) -> str:
    """A category as one word that no text has: cs.LG is incategorycslg."""
    letters = re.sub("[^a-z]", "", name.lower())[:40]
    return f"incategory{letters}" if letters else ""


def parse_since(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None
