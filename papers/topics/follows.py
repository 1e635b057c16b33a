"""What readers follow besides topics: which of it is in a paper (pure: no Django, no clock).

A paper's own words, authors and categories are looked up among all that anybody follows. So a paper
costs the same whether ten readers follow ten things or a million follow a million.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from papers.text.authors import author_keys
from papers.text.tokens import words
from papers.topics import categories

MOST_WORDS = 4

# No phrase is found across the end of a sentence.
SENTENCE_END = re.compile(r"[.!?;:]\s|\n\s*\n")


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
