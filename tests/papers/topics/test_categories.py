"""arXiv's categories: one id for all names of a category."""

from __future__ import annotations

import pytest

from papers.topics import categories
from tests.papers import recordings


@pytest.mark.parametrize(
    ("name", "category_id"),
    [
        ("cs.LG", "cs.LG"),
        ("CS.lg", "cs.LG"),
        (" quant-ph\n", "quant-ph"),
        ("math.IT", "cs.IT"),
        ("cs.SY", "eess.SY"),
        ("CS.na", "math.NA"),
        ("q-fin.EC", "econ.GN"),
        ("cmp-lg", "cs.CL"),
        ("alg-geom", "math.AG"),
        # A category of papers from before 2009, without a successor.
        ("astro-ph", "astro-ph"),
    ],
)
def test_every_name_of_a_category_leads_to_its_id(name, category_id):
    assert categories.canonical_id(name) == category_id


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "cs", "cs.XX", "test", "bad-arch.bad-cat", "cs.LG cs.CL", "cs.LG\x00"),
        *("68T05", "68Q17; 68Q25", "I.2.6", "F.2.2, I.2.7"),
        *("ſtat.ML", "é", "\ud800", "c" * 10**6),
    ],
)
def test_an_unknown_category_has_an_empty_id_and_name(name):
    assert categories.canonical_id(name) == ""
    assert categories.category_name(name) == ""


def test_the_terms_of_a_record_become_its_categories_without_duplicates_in_order():
    terms = ["stat.ML", "cs.IT", "math.IT", "94A15", "E.4", "cs.LG", "stat.ML"]

    assert categories.canonical_ids(terms) == ["stat.ML", "cs.IT", "cs.LG"]


def test_a_category_name_is_found_by_any_spelling_of_the_id():
    assert categories.category_name("cs.LG") == "Machine Learning"
    assert categories.category_name("stat.th") == "Statistics Theory"


def test_a_form_lists_the_active_categories_by_group():
    listed = categories.active_by_group()

    assert list(listed)[:2] == ["Computer Science", "Statistics"]
    assert len(listed) == 8
    assert sum(map(len, listed.values())) == 149
    assert str(listed["Statistics"][3]) == "Machine Learning (stat.ML)"
    assert all(category.active for group in listed.values() for category in group)


def test_no_two_categories_share_a_name():
    names = [
        name.lower()
        for category in categories.all_categories()
        for name in (category.id, *category.aliases)
    ]

    assert len(names) == len(set(names)) == 149 + 3 + 24


@recordings.needs_recordings
def test_the_categories_of_recorded_papers_are_recognised():
    """Recorded terms that are not categories are ACM and MSC subject classes."""
    terms = {term for paper in recordings.arxiv_papers() for term in paper["categories"]}
    others = {term for term in terms if not categories.canonical_id(term)}

    assert len(terms - others) > 80
    assert not any(term.startswith(("cs.", "math.", "stat.", "physics.")) for term in others)
