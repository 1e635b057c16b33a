"""subscribers/preferences/fields.py"""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from papers.topics.follows import FollowTarget
from subscribers.preferences import fields


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("Emmy Noether\nAda Lovelace", ["Emmy Noether", "Ada Lovelace"]),
        ("Emmy Noether, Ada Lovelace", ["Emmy Noether", "Ada Lovelace"]),
        ("Noether, Emmy; Lovelace, Ada", ["Noether, Emmy", "Lovelace, Ada"]),
        ("Noether, Emmy", ["Noether, Emmy"]),
        ("  Emmy \t Noether \r\n\r\n", ["Emmy Noether"]),
        ("Emmy Noether\nE. Noether\nnoether, emmy", ["Emmy Noether", "E. Noether"]),
        ("李明", ["李明"]),
        ("", []),
    ],
)
def test_names_are_read_as_people_write_them(written, labels):
    assert list(fields.authors_field().clean(written).values()) == labels


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("Graph Neural Networks, diffusion", ["graph neural network", "diffusion"]),
        ("L²NAS; “Mamba”\nmamba", ["l2na", "mamba"]),
        (",;\n ", []),
    ],
)
def test_phrases_are_found_however_they_are_written(written, keys):
    assert [term.key for term in fields.keywords_field().clean(written)] == keys


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        (["cs.RO", "CS.ro"], ["cs.RO"]),
        (["math.IT"], ["cs.IT"]),
        (["robotics"], ["cs.RO"]),
        ([], []),
    ],
)
def test_a_category_has_many_names(written, ids):
    found = fields.CategoriesField().clean(written)

    assert found == {FollowTarget("category", id): id for id in ids}


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            "machine learning",
            "Did you mean Machine Learning (cs.LG) or Machine Learning (stat.ML)?",
        ),
        ("cs.R0", "Did you mean Robotics (cs.RO)"),
        ("§", "They look like cs.RO or math.AG."),
    ],
)
def test_what_is_no_category_is_answered_with_one_that_is(written, sentence):
    with pytest.raises(ValidationError) as caught:
        fields.CategoriesField().clean([written])

    assert sentence in caught.value.message
