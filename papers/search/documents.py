"""Build a paper's search document: columns of tokens, and its index terms (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from papers.search import index_terms
from papers.search.query import category_token
from papers.text.tokens import tokenize

TEXT_COLUMNS = ("title", "people", "labels", "abstract")
# PostgreSQL limits the size of a tsvector; no real abstract comes near this.
MAX_COLUMN_TOKENS = 8_000
# Stands before each text of a column, so that no phrase matches across two texts.
BOUNDARY_TOKEN = "zzbreakzz"


def index_columns(paper: Any, topics: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a paper's `SearchText`; `topics` are names and slugs."""
    # A category is indexed under its archive too: category:cs finds cs.LG.
    categories = {
        name for category in paper.categories for name in (category, category.split(".")[0])
    }
    labels = token_string([paper.arxiv_id, paper.doi, *topics, *paper.categories])
    label_terms = {
        *filter(None, map(category_token, categories)),
        *index_terms.topic_terms(map(tokenize, topics)),
    }
    return {
        "day": paper.sort_date,
        "title": token_string([paper.title]),
        "people": token_string(paper.authors),
        "labels": " ".join([labels, *sorted(label_terms)]),
        "abstract": token_string([paper.abstract]),
    }


def build_index_terms(columns: Mapping[str, Any]) -> str:
    """Return the index terms of these columns, at most `MAX_COLUMN_TOKENS`.

    Authors come last: some papers have thousands, and only their terms may be cut off.
    """
    terms = [*index_terms.date_terms(columns["day"])]
    for name in ("title", "labels", "abstract"):
        terms += column_bigrams(columns[name])
    terms += [
        index_terms.author_term(token)
        for token in columns["people"].split()
        if token != BOUNDARY_TOKEN
    ]
    terms += column_bigrams(columns["people"])
    return " ".join([*dict.fromkeys(terms)][:MAX_COLUMN_TOKENS])


def column_bigrams(column: str) -> Iterator[str]:
    """Yield the bigrams of each text in a column, none across two texts."""
    for text in column.split(BOUNDARY_TOKEN):
        yield from index_terms.bigrams(text.split())


def token_string(texts: Sequence[str]) -> str:
    """Return the tokens of all texts, each text after a boundary token."""
    tokens = [token for text in texts for token in (BOUNDARY_TOKEN, *tokenize(text))]
    return " ".join(tokens[:MAX_COLUMN_TOKENS])
