"""A paper becomes columns of tokens and index terms."""

from __future__ import annotations

from datetime import date

from papers.models import Paper
from papers.search import documents


def index_terms_for(**fields):
    paper = Paper(sort_date=date(2026, 5, 12), **fields)
    return documents.build_index_terms(documents.index_columns(paper, [])).split()


def test_adjacent_words_are_index_terms_but_not_across_two_texts():
    assert index_terms_for(
        title="A graph of words", abstract="Speech acts", authors=["Ann Lee", "Bo"]
    ) == [
        "in7days105678",
        "in28days26419",
        "in112days6604",
        "graph_word",
        "speech_act",
        "inauthorann",
        "inauthorlee",
        "inauthorbo",
        "ann_lee",
    ]


def test_thousands_of_authors_do_not_displace_the_index_terms_of_other_words():
    names = [f"First{number} Last{number}" for number in range(9_000)]
    terms = index_terms_for(title="Collider", abstract="A heavy particle", authors=names)

    assert len(terms) == documents.MAX_COLUMN_TOKENS
    assert {"heavy_particle", "inauthorlast7"} <= set(terms)
