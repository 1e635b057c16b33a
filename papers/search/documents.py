"""What the search keeps of a paper: rows of words, and their keys (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from papers.search import index_terms
from papers.search.query import category_token
from papers.text.tokens import tokenize

TEXT_COLUMNS = ("title", "people", "labels", "abstract")
# More words than any list of authors or abstract has; an index has limits.
MAX_COLUMN_TOKENS = 8_000
# Before each text: the last word of one and the first of the next stand in no row.
BOUNDARY_TOKEN = "zzbreakzz"


def index_columns(paper: Any, topics: Sequence[str]) -> dict[str, Any]:
    # A category also by its archive: category:cs finds cs.LG.
    names = {each for name in paper.categories for each in (name, name.split(".")[0])}
    labels = token_string([paper.arxiv_id, paper.doi, *topics, *paper.categories])
    found = {
        *filter(None, map(category_token, names)),
        *index_terms.topic_terms(map(tokenize, topics)),
    }
    return {
        "day": paper.sort_date,
        "title": token_string([paper.title]),
        "people": token_string(paper.authors),
        "labels": " ".join([labels, *sorted(found)]),
        "abstract": token_string([paper.abstract]),
    }


def build_index_terms(columns: Mapping[str, Any]) -> str:
    """The authors last: some papers have thousands, and an index has limits."""
    found = [*index_terms.date_terms(columns["day"])]
    for name in ("title", "labels", "abstract"):
        found += column_bigrams(columns[name])
    found += [
        index_terms.author_term(word)
        for word in columns["people"].split()
        if word != BOUNDARY_TOKEN
    ]
    found += column_bigrams(columns["people"])
    return " ".join([*dict.fromkeys(found)][:MAX_COLUMN_TOKENS])


def column_bigrams(column: str) -> Iterator[str]:
    for row in column.split(BOUNDARY_TOKEN):
        yield from index_terms.bigrams(row.split())


def token_string(texts: Sequence[str]) -> str:
    found = [word for text in texts for word in (BOUNDARY_TOKEN, *tokenize(text))]
    return " ".join(found[:MAX_COLUMN_TOKENS])
