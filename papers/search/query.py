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

from papers.identity import arxiv_id
from papers.text.tokens import words

# More than anybody types; the rest is not looked at.
LONGEST, MOST_TERMS = 500, 16

TERM = re.compile(
    r"""
    (?<!\S) (?P<excluded>-)?
    (?: (?P<field>author|topic|category|since) : \s* )?
    (?: "(?P<phrase>[^"]*)" | (?P<word>\S+) )
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand in a row; in one field, or anywhere if it has no name."""

    words: tuple[str, ...]
    field: str = ""
    excluded: bool = False
    # As it was typed: without its field and quotes, and as a whole.
    typed: str = dataclasses.field(default="", compare=False)
    whole: str = dataclasses.field(default="", compare=False)

    @property
    def is_plain(self) -> bool:
        return not self.field and not self.excluded and len(self.words) == 1


@dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[Term, ...] = ()
    since: date | None = None
    # Not to be typed: the API has a parameter for it.
    until: date | None = None
    # What could not be understood, as it was typed.
    ignored: tuple[str, ...] = ()

    @property
    def asks_for_something(self) -> bool:
        """To leave papers out, or to say since when, is not to say what is looked for."""
        return any(not term.excluded for term in self.terms)

    @property
    def loosened(self) -> str:
        """The same words, wherever they stand and whenever; nothing if that is what was asked."""
        if all(term.is_plain for term in self.terms) and not self.since:
            return ""
        kept = [term for term in self.terms if not term.excluded and term.field != "category"]
        return " ".join(term.typed for term in kept)

    @property
    def meant(self) -> str:
        """What the papers should be about, as a text."""
        kept = [term for term in self.terms if not term.excluded and not term.field]
        return " ".join(term.typed for term in kept)

    @property
    def is_open(self) -> bool:
        """No author, topic, category, day or missing word is asked for."""
        return not self.since and not any(term.field or term.excluded for term in self.terms)

    def without(self, terms: Collection[Term]) -> str:
        """The rest of the question, as it was typed; nothing if the rest asks for nothing."""
        kept = dataclasses.replace(self, terms=tuple(t for t in self.terms if t not in terms))
        since = [f"since:{self.since}"] if self.since else []
        whole = [term.whole for term in kept.terms]
        return " ".join([*whole, *since]) if kept.asks_for_something else ""

    def in_text(self, *fields: str) -> list[tuple[str, ...]]:
        """The words to mark in a text of these fields."""
        wanted = [term for term in self.terms if not term.excluded]
        return [term.words for term in wanted if term.field in {"", *fields}]


def parse(typed: str) -> Query:
    """An address or a number of arXiv is that paper; else every term must be met."""
    if identity := arxiv_id(typed):
        return Query(terms=(Term(tuple(words(identity)), typed=identity, whole=identity),))
    terms: list[Term] = []
    ignored: list[str] = []
    since = None
    for found in TERM.finditer(typed[:LONGEST]):
        text = found["word"] if found["phrase"] is None else found["phrase"]
        field = (found["field"] or "").lower()
        if field == "since":
            since = day(text) or since
            if found["excluded"] or not day(text):
                ignored.append(found.group())
            continue
        excluded = found["excluded"] is not None
        whole = found.group().strip()
        term = Term(in_field(field, text), field, excluded, typed=text, whole=whole)
        if term.words and term not in terms and len(terms) < MOST_TERMS:
            terms.append(term)
    return Query(tuple(terms), since, ignored=tuple(ignored))


def in_field(field: str, text: str) -> tuple[str, ...]:
    if field == "category":
        name = category(text)
        return (name,) if name else ()
    return tuple(words(text))


def category(name: str) -> str:
    """A category as one word that no text has: cs.LG is incategorycslg."""
    letters = re.sub("[^a-z]", "", name.lower())[:40]
    return f"incategory{letters}" if letters else ""


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None
