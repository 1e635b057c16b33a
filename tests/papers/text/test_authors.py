"""An author has the same key however the name is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.text.authors import author_key, author_keys, full_author_key
from tests.papers import recordings


def test_each_way_to_write_a_name_has_the_same_key():
    spellings = [
        *("Emmy Noether", "Noether, Emmy", "E. Noether", "noether, e", "EMMY  NOETHER"),
        *("Émmy Nôether", "Emmy A. Noether", "E.A. Noether", "Emmy Noether (Göttingen)"),
    ]

    assert {author_key(name) for name in spellings} == {"noether e"}


@pytest.mark.parametrize(
    ("spellings", "key"),
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
)
def test_names_of_many_languages_have_one_key_each(spellings, key):
    assert {author_key(name) for name in spellings} == {key}


@pytest.mark.parametrize("text", ["", " ", ",", ",,,", "...", "()", "\ud800", "\x00", "🙂", "-"])
def test_text_without_a_name_has_no_key(text):
    assert author_key(text) == ""


def test_people_who_share_a_surname_have_different_keys():
    assert author_key("Emmy Noether") != author_key("Fritz Noether")


def test_the_full_key_separates_people_who_share_an_initial():
    spellings = ["Emmy Noether", "Noether, Emmy", "Emmy A. Noether", "NOETHER, Emmy Amalie"]

    assert {full_author_key(name) for name in spellings} == {"noether emmy"}
    assert full_author_key("Jean-Pierre van der Berg") == "vanderberg jeanpierre"
    assert full_author_key("E. Noether") == author_key("Emmy Noether")
    assert full_author_key("李明") == "李明"
    assert full_author_key("...") == ""


def test_a_paper_can_be_followed_by_initial_and_by_full_name():
    names = ["Emmy Noether", "李明", "..."]

    assert list(author_keys(names)) == ["noether e", "noether emmy", "李明"]


@given(st.text(max_size=30))
def test_the_key_of_any_text_has_no_spaces_around_it(text):
    assert author_key(text) == author_key(text).strip()


@recordings.needs_recordings
def test_all_authors_of_recorded_papers_have_a_key():
    papers = [item["paper"] for item in recordings.huggingface_hard_cases()]
    author_lists = [paper.get("authors") or [] for paper in papers]
    names = {author["name"] for authors in author_lists for author in authors if author.get("name")}

    assert max(map(len, author_lists)) >= 573
    assert len(names) > 5_000
    assert all(author_key(name) for name in names)
