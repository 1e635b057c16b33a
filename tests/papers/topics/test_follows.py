"""Following keywords, authors and categories: a paper is looked up once, whoever follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.text.authors import author_key
from papers.topics import follows
from papers.topics.follows import FollowIndex, FollowTarget, normalise_keyword


def found(followed, title="", abstract="", keywords=(), authors=(), categories=()):
    return follows.find_matches(
        title, abstract, keywords, authors, categories, follow_index=followed
    )


def keywords_in(abstract, *typed):
    followed = FollowIndex(keywords=frozenset(map(normalise_keyword, typed)))
    return {key for _, key in found(followed, abstract=abstract)}


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
def test_a_keyword_is_kept_as_papers_are_searched(typed, key):
    assert normalise_keyword(typed) == key


@pytest.mark.parametrize("typed", ["", " \n", "of the", "*'\"()", "\ud800", "\x00", "🙂"])
def test_nothing_that_counts_is_no_keyword(typed):
    assert normalise_keyword(typed) == ""


def test_a_reader_may_follow_one_person_or_all_of_an_initial():
    one, all_of_them = FollowTarget("author", "noether emmy"), FollowTarget("author", "noether e")
    followed = FollowIndex(authors=frozenset({one.key, all_of_them.key}))

    assert found(followed, authors=["Emmy Noether"]) == {one, all_of_them}
    assert found(followed, authors=["Ernst Noether"]) == {all_of_them}
    assert found(followed, authors=["E. Noether"]) == {all_of_them}


@given(st.text(max_size=30))
def test_any_text_is_a_keyword_and_a_name_or_neither(text):
    key = normalise_keyword(text)

    assert keywords_in(text, text) <= {key}
    assert len(key.split(" ")) <= follows.MAX_KEYWORD_WORDS
    assert author_key(text) == author_key(text).strip()


def test_each_kind_is_found_among_all_that_is_followed():
    followed = FollowIndex(
        keywords=frozenset({"graph neural network", "protein", "never"}),
        authors=frozenset({"noether e", "hilbert d"}),
        categories=frozenset({"cs.LG", "math.AG", "stat.ML"}),
    )

    paper = found(
        followed,
        title="Graph Neural Networks Revisited",
        keywords=["Proteins"],
        authors=["Ada Lovelace", "Noether, Emmy"],
        categories=["cs.lg", "alg-geom", "68T05"],
    )

    assert paper == {
        FollowTarget("keyword", "graph neural network"),
        FollowTarget("keyword", "protein"),
        FollowTarget("author", "noether e"),
        FollowTarget("category", "cs.LG"),
        FollowTarget("category", "math.AG"),
    }


def test_an_empty_keyword_or_name_finds_nothing():
    followed = FollowIndex(keywords=frozenset({""}), authors=frozenset({""}))

    assert found(followed, title="of the", abstract="...", authors=["", ","]) == set()


def test_a_phrase_is_found_in_any_form_but_not_across_sentences_or_keywords():
    assert keywords_in("On graph-neural Networks.", "graph neural network") != set()
    assert keywords_in("It is a graph. Neural networks see it.", "graph neural network") == set()
    followed = FollowIndex(keywords=frozenset({"graph neural"}))
    assert found(followed, title="graph", abstract="neural", keywords=["graph", "neural"]) == set()


def test_a_word_within_another_is_not_found():
    assert keywords_in("Paragraphs and graphene", "graph") == set()


def test_a_long_abstract_is_looked_up_once_for_each_of_its_phrases():
    abstract = "graph " * 3_000

    phrases = list(follows.word_ngrams([abstract]))

    assert len(phrases) < follows.MAX_KEYWORD_WORDS * 3_000
    assert keywords_in(abstract, "graph graph graph graph") == {"graph graph graph graph"}


def test_what_others_follow_costs_a_paper_nothing():
    """Ten follow ten things or a hundred thousand a hundred thousand: the same look-ups."""

    class Counted(frozenset):
        looked_up = 0

        def __contains__(self, key):
            Counted.looked_up += 1
            return super().__contains__(key)

        def __iter__(self):
            raise AssertionError("looped over all that is followed")

        def intersection(self, *others):
            return {key for key in others[0] if key in self}

    costs = []
    for size in (10, 100_000):
        Counted.looked_up = 0
        everything = Counted(f"graph {number}" for number in range(size))
        followed = FollowIndex(keywords=everything, authors=everything, categories=everything)
        assert found(followed, "Graph 7", "A graph.", [], ["Ada Lovelace"], ["cs.LG"]) == {
            FollowTarget("keyword", "graph 7")
        }
        costs.append(Counted.looked_up)

    assert costs[0] == costs[1] < 20
