"""Find the followed keywords, authors and categories in a paper (pure: no Django, no clock).

A paper's own phrases, authors and categories are looked up in sets of everything that any reader
follows. So the cost per paper does not depend on the number of readers and follows: never loop over
a `FollowIndex`.
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

# A keyword must not match across the end of a sentence or paragraph.
SENTENCE_END = re.compile(r"[.!?;:]\s|\n\s*\n")


class FollowTarget(NamedTuple):
    """A keyword, author or category to follow, by its normalised key (see `FollowIndex`)."""

    kind: Literal["keyword", "author", "category"]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowIndex:
    """Everything that any reader follows.

    Keys come from `normalise_keyword`, `author_key` or `full_author_key`, and `canonical_id`.
    """

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
    """Return the entries of the index that occur in the paper."""
    phrases = (
        word_ngrams([title, *SENTENCE_END.split(abstract), *keywords])
        if follow_index.keywords
        else ()
    )
    paper_author_keys = author_keys(authors) if follow_index.authors else ()
    category_ids = categories.canonical_ids(category_names)
    return {
        *(FollowTarget("keyword", key) for key in follow_index.keywords.intersection(phrases)),
        *(
            FollowTarget("author", key)
            for key in follow_index.authors.intersection(paper_author_keys)
        ),
        *(
            FollowTarget("category", key)
            for key in follow_index.categories.intersection(category_ids)
        ),
    }


def word_ngrams(texts: Iterable[str]) -> Iterator[str]:
    """Yield every sequence of one to `MAX_KEYWORD_WORDS` adjacent words within one text."""
    for text in texts:
        words = tokenize(text)
        for start in range(len(words)):
            ngram = words[start]
            yield ngram
            for word in words[start + 1 : start + MAX_KEYWORD_WORDS]:
                ngram = f"{ngram} {word}"
                yield ngram


def normalise_keyword(text: str) -> str:
    """Return the key of a keyword or phrase: its first words as the search index has them.

    "Graph Neural Networks" becomes "graph neural network". The key is empty if only stop words
    and punctuation were typed. Not idempotent: pass the text that was typed, never a key, which
    could lose another letter ("houses" becomes "hous", and that "hou").
    """
    return " ".join(tokenize(text)[:MAX_KEYWORD_WORDS])
