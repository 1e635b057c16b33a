"""What readers follow besides topics: which of it is in a paper (pure: no Django, no clock).

A paper's own words, authors and categories are looked up among all that anybody follows. So a paper
costs the same whether ten readers follow ten things or a million follow a million.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from papers import categories
from papers.words import bare, words

MOST_WORDS = 4
# Beyond any real name.
LONGEST_NAME = 200

# No phrase is found across the end of a sentence.
SENTENCE_END = re.compile(r"[.!?;:]\s|\n\s*\n")
# Those within a name, written in many ways or left out: O'Brien, Álvarez-López.
JOINTS = re.compile("['\u2018\u2019\u02bc\u00b4`\u2010-\u2015\u2212-]")
# (Institute of Everything), or the name in another script
ASIDE = re.compile(r"\([^()]*\)")
NAME = re.compile(r"[^\W_]+")
# The parts of a surname that come before it.
PARTICLES = frozenset(
    [
        *(
            "af",
            "al",
            "av",
            "da",
            "das",
            "de",
            "del",
            "della",
            "den",
            "der",
            "di",
            "do",
            "dos",
            "du",
        ),
        *(
            "el",
            "ibn",
            "la",
            "las",
            "le",
            "los",
            "ten",
            "ter",
            "van",
            "vom",
            "von",
            "zu",
            "zum",
            "zur",
        ),
    ]
)
SUFFIXES = frozenset(["jr", "sr", "ii", "iii", "iv"])
# Not a person: it has no surname.
MANY = frozenset(["collaboration", "consortium", "group", "team"])


class Term(NamedTuple):
    """One thing that can be followed: `key` is what the functions below make of what was typed."""

    kind: Literal["keyword", "author", "category"]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """All that anybody follows, as `normal_keyword`, an author's key and `canonical` give it."""

    keywords: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()


def matches(
    title: str,
    abstract: str,
    keywords: Iterable[str],
    authors: Iterable[str],
    in_categories: Iterable[str],
    *,
    followed: Followed,
) -> set[Term]:
    """What of it is in the paper."""
    phrases = grams([title, *SENTENCE_END.split(abstract), *keywords]) if followed.keywords else ()
    people = author_keys(authors) if followed.authors else ()
    ids = categories.canonicals(in_categories)
    return {
        *(Term("keyword", key) for key in followed.keywords.intersection(phrases)),
        *(Term("author", key) for key in followed.authors.intersection(people)),
        *(Term("category", key) for key in followed.categories.intersection(ids)),
    }


def grams(texts: Iterable[str]) -> Iterator[str]:
    """Each one to four words that stand in a row."""
    for text in texts:
        row = words(text)
        for start in range(len(row)):
            gram = row[start]
            yield gram
            for word in row[start + 1 : start + MOST_WORDS]:
                gram = f"{gram} {word}"
                yield gram


def normal_keyword(text: str) -> str:
    """A keyword or phrase as papers are searched for it, cut after four words that count.

    "Graph Neural Networks" is "graph neural network". Empty if nothing is left. Made from what was
    typed, never from another key: "houses" is "hous", which would lose its s like a plural.
    """
    return " ".join(words(text)[:MOST_WORDS])


def author_key(name: str) -> str:
    """Surname and first initial, however the name is written; empty if it is no name.

    "Emmy Noether", "Noether, Emmy" and "E. Noether" are "noether e". A name in a script without
    capitals, such as 李明, may begin with the surname or end with it, so it is kept whole.
    """
    given, surname = parted(name)
    return f"{surname} {given[0]}" if given else surname


def full_author_key(name: str) -> str:
    """Surname and first given name: for those who mean Wei Zhang and no other W. Zhang.

    A paper that only tells "W. Zhang" is not found by it. The same as `author_key` if no more than
    an initial is written.
    """
    return " ".join(reversed(parted(name))).strip()


def author_keys(names: Iterable[str]) -> Iterator[str]:
    """All by which the authors of a paper can be followed."""
    for name in names:
        given, surname = parted(name)
        if surname and given:
            yield from (f"{surname} {given[0]}", f"{surname} {given}")
        elif surname:
            yield surname


def parted(name: str) -> tuple[str, str]:
    """The first given name, perhaps none, and the surname."""
    text = JOINTS.sub("", ASIDE.sub(" ", name[:LONGEST_NAME]))
    return split(NAME.findall(in_order(text)))


def in_order(name: str) -> str:
    """The surname last, and nothing after it: "King, Jr., Martin" is "Martin King"."""
    parts = [part.strip() for part in name.split(",")]
    surname, *others = [part for part in parts if part.strip(". ").lower() not in SUFFIXES] or [""]
    return " ".join([*others, surname])


def split(written: list[str]) -> tuple[str, str]:
    """The first given name, and the surname in one word: van der Berg and Van Der Berg are one."""
    names = [bare(name) for name in written]
    if len(names) > 2 and names[-1] in SUFFIXES:
        names.pop()
    if MANY.intersection(names) or not any(name.upper() != name for name in names):
        return "", "".join(names)
    begins = max(len(names) - 1, 0)
    while begins > 1 and names[begins - 1] in PARTICLES:
        begins -= 1
    if begins == 1 and names[0] in PARTICLES and written[0].islower():
        begins = 0
    return "".join(names[: min(begins, 1)]), "".join(names[begins:])
