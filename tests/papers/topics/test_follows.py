"""Followed keywords, authors and categories: one look-up per paper, whoever follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.text import authors as text_authors
from papers.text.authors import author_key
from papers.topics import follows
from papers.topics.follows import FollowIndex, FollowTarget, normalise_keyword
from tests.papers import recordings


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


def test_a_name_has_one_key_however_it_is_written():
    ways = ["Emmy Noether", "Noether, Emmy", "E. Noether", "noether, e", "EMMY  NOETHER"]
    more = ["Émmy Nôether", "Emmy A. Noether", "E.A. Noether", "Emmy Noether (Göttingen)"]

    assert {author_key(name) for name in [*ways, *more]} == {"noether e"}


@pytest.mark.parametrize(
    ("ways", "key"),
    [
        (["Jan van der Berg", "van der Berg, Jan", "J. Van Der Berg"], "vanderberg j"),
        (["Jan van der Berg", "Berg, J. van der"], "vanderberg j"),
        (["Ana Álvarez-López", "Alvarez‐Lopez, A.", "A. ÁLVAREZ–LÓPEZ"], "alvarezlopez a"),
        (["Gabriel García Márquez", "García Márquez, Gabriel"], "marquez g"),
        (["Yann LeCun", "Le Cun, Yann", "Y. Le Cun"], "lecun y"),
        (["Conan O'Brien", "O’Brien, C.", "Conan O´Brien"], "obrien c"),
        (["Jean-Pierre Serre", "Serre, J.-P.", "J-P Serre"], "serre j"),
        (["Martin Luther King Jr.", "King, Jr., Martin", "King, Martin L., Jr."], "king m"),
        (["Łukasz Ørsted", "Lukasz Orsted"], "orsted l"),
        (["李明", "李 明"], "李明"),
        (["Δημήτρης Παπαδόπουλος", "Παπαδόπουλος, Δ."], "παπαδοπουλοσ δ"),
        (["Van Nguyen", "Nguyen, Van"], "nguyen v"),
        (["van der Berg"], "vanderberg"),
        (["Will An", "An, W."], "an w"),
        (["Boyang"], "boyang"),
        (["Some Team", "some team"], "someteam"),
        (["The Many-Particles Collaboration"], "themanyparticlescollaboration"),
    ],
    ids=lambda each: each[-1] if isinstance(each, list) else "",
)
def test_names_of_many_languages_have_one_key(ways, key):
    assert {author_key(name) for name in ways} == {key}


@pytest.mark.parametrize("written", ["", " ", ",", ",,,", "...", "()", "\ud800", "\x00", "🙂", "-"])
def test_no_name_has_no_key(written):
    assert author_key(written) == ""


def test_people_who_share_a_surname_are_told_apart():
    assert author_key("Emmy Noether") != author_key("Fritz Noether")


def test_namesakes_by_initial_are_told_apart_by_the_full_key():
    ways = ["Emmy Noether", "Noether, Emmy", "Emmy A. Noether", "NOETHER, Emmy Amalie"]

    assert {text_authors.full_author_key(name) for name in ways} == {"noether emmy"}
    assert text_authors.full_author_key("Jean-Pierre van der Berg") == "vanderberg jeanpierre"
    assert text_authors.full_author_key("E. Noether") == author_key("Emmy Noether")
    assert text_authors.full_author_key("李明") == "李明"
    assert text_authors.full_author_key("...") == ""


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


@recordings.needs_recordings
def test_all_authors_of_recorded_papers_can_be_followed():
    items = [item["paper"] for item in recordings.huggingface_hard_cases()]
    names = {a["name"] for paper in items for a in paper.get("authors") or [] if a.get("name")}
    most = max(len(paper.get("authors") or []) for paper in items)

    assert most >= 573
    assert len(names) > 5_000
    assert all(author_key(name) for name in names)
