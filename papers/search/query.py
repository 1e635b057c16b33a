"""Parse what a reader types into the search box into terms; no input is an error (pure).

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
from papers.search import index_terms
from papers.text.tokens import tokenize

# The rest of a longer query is ignored.
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
    """Adjacent words, in one field, or in any if `field` is empty."""

    tokens: tuple[str, ...]
    field: str = ""
    excluded: bool = False
    # As typed: without its field and quotes, and as a whole.
    raw_text: str = dataclasses.field(default="", compare=False)
    raw_term: str = dataclasses.field(default="", compare=False)

    @property
    def is_bare_word(self) -> bool:
        return not self.field and not self.excluded and len(self.tokens) == 1

    @property
    def index_term(self) -> str:
        """The one indexed word that stands for a topic or category; empty for other terms."""
        if self.field == "topic":
            return index_terms.topic_term(self.tokens)
        return self.tokens[0] if self.field == "category" else ""


@dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[QueryTerm, ...] = ()
    since: date | None = None
    # Not part of the typed grammar: the API sets it.
    until: date | None = None
    # As typed: conditions that could not be parsed.
    ignored: tuple[str, ...] = ()

    @property
    def is_searchable(self) -> bool:
        """Whether any term is required; excluded terms and a date alone select nothing."""
        return any(not term.excluded for term in self.terms)

    @property
    def relaxed_text(self) -> str:
        """The same words without phrases, fields, exclusions and dates; empty if nothing changes."""
        if all(term.is_bare_word for term in self.terms) and not self.since:
            return ""
        kept = [term for term in self.terms if not term.excluded and term.field != "category"]
        return " ".join(term.raw_text for term in kept)

    @property
    def free_text(self) -> str:
        """The required words outside of fields, as a text to embed."""
        kept = [term for term in self.terms if not term.excluded and not term.field]
        return " ".join(term.raw_text for term in kept)

    @property
    def is_unfiltered(self) -> bool:
        """Whether the query has no field, no excluded term and no date."""
        return not self.since and not any(term.field or term.excluded for term in self.terms)

    def without(self, terms: Collection[QueryTerm]) -> str:
        """Return the query as typed without these terms; empty if the rest is not searchable."""
        rest = dataclasses.replace(
            self, terms=tuple(term for term in self.terms if term not in terms)
        )
        since = [f"since:{self.since}"] if self.since else []
        raw_terms = [term.raw_term for term in rest.terms]
        return " ".join([*raw_terms, *since]) if rest.is_searchable else ""

    def highlight_terms(self, *fields: str) -> list[tuple[str, ...]]:
        """Return the words to highlight in a text of these fields."""
        required = [term for term in self.terms if not term.excluded]
        return [term.tokens for term in required if term.field in {"", *fields}]


def parse_query(raw_query: str) -> Query:
    """Return the query; an arXiv id or address alone becomes a search for that paper."""
    if identity := parse_arxiv_id(raw_query):
        return Query(
            terms=(QueryTerm(tuple(tokenize(identity)), raw_text=identity, raw_term=identity),)
        )
    terms: list[QueryTerm] = []
    ignored: list[str] = []
    since = None
    for match in TERM_PATTERN.finditer(raw_query[:MAX_QUERY_CHARS]):
        text = match["word"] if match["phrase"] is None else match["phrase"]
        field = (match["field"] or "").lower()
        excluded = match["excluded"] is not None
        if field == "since":
            day = parse_since(text)
            since = day or since
            if excluded or not day:
                ignored.append(match.group())
            continue
        term = QueryTerm(
            tokens_for_field(field, text),
            field,
            excluded,
            raw_text=text,
            raw_term=match.group().strip(),
        )
        if term.tokens and term not in terms and len(terms) < MAX_TERMS:
            terms.append(term)
    return Query(tuple(terms), since, ignored=tuple(ignored))


def tokens_for_field(field: str, text: str) -> tuple[str, ...]:
    if field == "category":
        token = category_token(text)
        return (token,) if token else ()
    return tuple(tokenize(text))


def category_token(name: str) -> str:
    """Return a category as one word that no text contains: cs.LG is incategorycslg."""
    letters = re.sub("[^a-z]", "", name.lower())[:40]
    return f"incategory{letters}" if letters else ""


def parse_since(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None
