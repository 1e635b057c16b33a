"""arXiv's categories: one id for each, however it is written."""

from __future__ import annotations

import pytest

from papers.topics import categories
from tests.papers import recordings


@pytest.mark.parametrize(
    ("written", "id"),
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
        # Of papers from before 2009: it has no heir, but is a category.
        ("astro-ph", "astro-ph"),
    ],
)
def test_a_category_is_known_however_it_is_written(written, id):
    assert categories.canonical_id(written) == id


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "cs", "cs.XX", "test", "bad-arch.bad-cat", "cs.LG cs.CL", "cs.LG\x00"),
        *("68T05", "68Q17; 68Q25", "I.2.6", "F.2.2, I.2.7"),
        *("ſtat.ML", "é", "\ud800", "c" * 10**6),
    ],
)
def test_what_is_no_category_is_empty(written):
    assert categories.canonical_id(written) == ""
    assert categories.category_name(written) == ""


def test_the_terms_of_a_record_become_its_categories_each_once_and_in_their_order():
    terms = ["stat.ML", "cs.IT", "math.IT", "94A15", "E.4", "cs.LG", "stat.ML"]

    assert categories.canonical_ids(terms) == ["stat.ML", "cs.IT", "cs.LG"]


def test_a_name_is_found_by_any_name():
    assert categories.category_name("cs.LG") == "Machine Learning"
    assert categories.category_name("stat.th") == "Statistics Theory"


def test_a_form_lists_what_new_papers_can_be_in():
    listed = categories.active_by_group()

    assert list(listed)[:2] == ["Computer Science", "Statistics"]
    assert len(listed) == 8
    assert sum(map(len, listed.values())) == 149
    assert str(listed["Statistics"][3]) == "Machine Learning (stat.ML)"
    assert all(each.active for group in listed.values() for each in group)


def test_no_two_categories_share_a_name():
    names = [
        name.lower() for each in categories.all_categories() for name in (each.id, *each.aliases)
    ]

    assert len(names) == len(set(names)) == 149 + 3 + 24


@recordings.needs_recordings
def test_the_categories_of_recorded_papers_are_known():
    """Beside them, records hold terms of the ACM and the MSC, which are none."""
    terms = {term for paper in recordings.arxiv_papers() for term in paper["categories"]}
    strange = {term for term in terms if not categories.canonical_id(term)}

    assert len(terms - strange) > 80
    assert not any(term.startswith(("cs.", "math.", "stat.", "physics.")) for term in strange)
