"""Followed keywords, authors and categories: one look-up per paper, whoever follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.text.authors import author_key
from papers.topics import follows
from papers.topics.follows import FollowIndex, FollowTarget, normalise_keyword


def find_matches(follow_index, title="", abstract="", keywords=(), authors=(), categories=()):
    return follows.find_matches(
        title, abstract, keywords, authors, categories, follow_index=follow_index
    )


def keywords_in(abstract, *typed):
    follow_index = FollowIndex(keywords=frozenset(map(normalise_keyword, typed)))
    return {key for _, key in find_matches(follow_index, abstract=abstract)}


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Graph Neural Networks", "graph neural network"),
        ("  graph-neural\tnetwork ", "graph neural network"),
        ("LLMs", "llm"),
        ("L²Net", "l2net"),
        ("Erdős Graphs", "erdo graph"),
        ("state of the art", "state art"),
        ("one two three four five six", "one two three four"),
        ("注意力机制", "注意力机制"),
    ],
)
def test_a_keyword_is_normalised_like_indexed_text(typed, key):
    assert normalise_keyword(typed) == key


@pytest.mark.parametrize("typed", ["", " \n", "of the", "*'\"()", "\ud800", "\x00", "🙂"])
def test_text_without_index_words_is_not_a_keyword(typed):
    assert normalise_keyword(typed) == ""


def test_a_reader_can_follow_one_person_or_everybody_with_an_initial():
    emmy, any_noether = FollowTarget("author", "noether emmy"), FollowTarget("author", "noether e")
    follow_index = FollowIndex(authors=frozenset({emmy.key, any_noether.key}))

    assert find_matches(follow_index, authors=["Emmy Noether"]) == {emmy, any_noether}
    assert find_matches(follow_index, authors=["Ernst Noether"]) == {any_noether}
    assert find_matches(follow_index, authors=["E. Noether"]) == {any_noether}


@given(st.text(max_size=30))
def test_any_text_is_a_keyword_and_a_name_or_neither(text):
    key = normalise_keyword(text)

    assert keywords_in(text, text) <= {key}
    assert len(key.split(" ")) <= follows.MAX_KEYWORD_WORDS
    assert author_key(text) == author_key(text).strip()


def test_followed_keywords_authors_and_categories_are_matched():
    follow_index = FollowIndex(
        keywords=frozenset({"graph neural network", "protein", "never"}),
        authors=frozenset({"noether e", "hilbert d"}),
        categories=frozenset({"cs.LG", "math.AG", "stat.ML"}),
    )

    matches = find_matches(
        follow_index,
        title="Graph Neural Networks Revisited",
        keywords=["Proteins"],
        authors=["Ada Lovelace", "Noether, Emmy"],
        categories=["cs.lg", "alg-geom", "68T05"],
    )

    assert matches == {
        FollowTarget("keyword", "graph neural network"),
        FollowTarget("keyword", "protein"),
        FollowTarget("author", "noether e"),
        FollowTarget("category", "cs.LG"),
        FollowTarget("category", "math.AG"),
    }


def test_an_empty_keyword_or_name_matches_nothing():
    follow_index = FollowIndex(keywords=frozenset({""}), authors=frozenset({""}))

    assert find_matches(follow_index, title="of the", abstract="...", authors=["", ","]) == set()


def test_a_phrase_matches_in_any_form_but_not_across_sentences_or_keywords():
    assert keywords_in("On graph-neural Networks.", "graph neural network") != set()
    assert keywords_in("It is a graph. Neural networks see it.", "graph neural network") == set()
    follow_index = FollowIndex(keywords=frozenset({"graph neural"}))
    assert (
        find_matches(follow_index, title="graph", abstract="neural", keywords=["graph", "neural"])
        == set()
    )


def test_a_keyword_does_not_match_inside_a_word():
    assert keywords_in("Paragraphs and graphene", "graph") == set()


def test_the_phrases_of_a_long_abstract_grow_linearly():
    abstract = "graph " * 3_000

    phrases = list(follows.word_ngrams([abstract]))

    assert len(phrases) < follows.MAX_KEYWORD_WORDS * 3_000
    assert keywords_in(abstract, "graph graph graph graph") == {"graph graph graph graph"}


def test_the_number_of_follows_does_not_change_the_cost_per_paper():
    class CountingSet(frozenset):
        lookups = 0

        def __contains__(self, key):
            CountingSet.lookups += 1
            return super().__contains__(key)

        def __iter__(self):
            raise AssertionError("iterated over all follows")

        def intersection(self, *others):
            return {key for key in others[0] if key in self}

    costs = []
    for size in (10, 100_000):
        CountingSet.lookups = 0
        everything = CountingSet(f"graph {number}" for number in range(size))
        follow_index = FollowIndex(keywords=everything, authors=everything, categories=everything)
        assert find_matches(
            follow_index, "Graph 7", "A graph.", [], ["Ada Lovelace"], ["cs.LG"]
        ) == {FollowTarget("keyword", "graph 7")}
        costs.append(CountingSet.lookups)

    assert costs[0] == costs[1] < 20
