"""What the search keeps of a paper: rows of words, and their keys (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from papers.search import index_terms
from papers.search.query import category
from papers.text.tokens import words

NAMES = ("title", "people", "labels", "abstract")
# More words than any list of authors or abstract has; an index has limits.
MOST_WORDS = 8_000
# Before each text: the last word of one and the first of the next stand in no row.
BREAK = "zzbreakzz"


def columns(paper: Any, topics: Sequence[str]) -> dict[str, Any]:
    # A category also by its archive: category:cs finds cs.LG.
    names = {each for name in paper.categories for each in (name, name.split(".")[0])}
    labels = rows([paper.arxiv_id, paper.doi, *topics, *paper.categories])
    found = {*filter(None, map(category, names)), *index_terms.topics(map(words, topics))}
    return {
        "day": paper.day,
        "title": rows([paper.title]),
        "people": rows(paper.authors),
        "labels": " ".join([labels, *sorted(found)]),
        "abstract": rows([paper.abstract]),
    }


def keys_of(columns: Mapping[str, Any]) -> str:
    """The authors last: some papers have thousands, and an index has limits."""
    found = [*index_terms.days(columns["day"])]
    for name in ("title", "labels", "abstract"):
        found += pairs(columns[name])
    found += [index_terms.author(word) for word in columns["people"].split() if word != BREAK]
    found += pairs(columns["people"])
    return " ".join([*dict.fromkeys(found)][:MOST_WORDS])


def pairs(text: str) -> Iterator[str]:
    for row in text.split(BREAK):
        yield from index_terms.pairs(row.split())


def rows(texts: Sequence[str]) -> str:
    found = [word for text in texts for word in (BREAK, *words(text))]
    return " ".join(found[:MOST_WORDS])
