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
from papers.text.tokens import tokenize
from papers.topics import categories

MAX_KEYWORD_WORDS = 4

# No phrase is found across the end of a sentence.
SENTENCE_END = re.compile(r"[.!?;:]\s|\n\s*\n")


class FollowTarget(NamedTuple):
    """One thing that can be followed: `key` is what the functions below make of what was typed."""

    kind: Literal["keyword", "author", "category"]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowIndex:
    """All that anybody follows, as `normal_keyword`, an author's key and `canonical` give it."""

    keywords: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()


def find_matches(
    title: str,
    abstract: str,
    keywords: Iterable[str],
    authors: Iterable[str],
    category_names: Iterable[str],
    *,
    follow_index: FollowIndex,
) -> set[FollowTarget]:
    """What of it is in the paper."""
    phrases = (
        word_ngrams([title, *SENTENCE_END.split(abstract), *keywords])
        if follow_index.keywords
        else ()
    )
    people = author_keys(authors) if follow_index.authors else ()
    ids = categories.canonical_ids(category_names)
    return {
        *(FollowTarget("keyword", key) for key in follow_index.keywords.intersection(phrases)),
        *(FollowTarget("author", key) for key in follow_index.authors.intersection(people)),
        *(FollowTarget("category", key) for key in follow_index.categories.intersection(ids)),
    }


def word_ngrams(texts: Iterable[str]) -> Iterator[str]:
    """Each one to four words that stand in a row."""
    for text in texts:
        row = tokenize(text)
        for start in range(len(row)):
            gram = row[start]
            yield gram
            for word in row[start + 1 : start + MAX_KEYWORD_WORDS]:
                gram = f"{gram} {word}"
                yield gram


def normalise_keyword(text: str) -> str:
    """A keyword or phrase as papers are searched for it, cut after four words that count.

    "Graph Neural Networks" is "graph neural network". Empty if nothing is left. Made from what was
    typed, never from another key: "houses" is "hous", which would lose its s like a plural.
    """
    return " ".join(tokenize(text)[:MAX_KEYWORD_WORDS])
