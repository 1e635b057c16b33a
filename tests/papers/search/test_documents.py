"""What is kept of a paper: rows of words, and their keys."""

from __future__ import annotations

from datetime import date

from papers.models import Paper
from papers.search import documents


def keys_of(**fields):
    paper = Paper(sort_date=date(2026, 5, 12), **fields)
    return documents.build_index_terms(documents.index_columns(paper, [])).split()


def test_words_that_adjoin_are_a_key_but_none_from_one_text_to_the_next():
    assert keys_of(title="A graph of words", abstract="Speech acts", authors=["Ann Lee", "Bo"]) == [
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


def test_thousands_of_authors_leave_room_for_the_keys_of_all_other_words():
    names = [f"First{number} Last{number}" for number in range(9_000)]
    found = keys_of(title="Collider", abstract="A heavy particle", authors=names)

    assert len(found) == documents.MAX_COLUMN_TOKENS
    assert {"heavy_particle", "inauthorlast7"} <= set(found)
