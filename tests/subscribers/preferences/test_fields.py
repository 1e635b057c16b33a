"""subscribers/preferences/{fields,widgets,category_lookup}.py"""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.forms import Select
from pytest_django.asserts import assertHTMLEqual

from papers.topics.follows import FollowTarget
from subscribers import send_time
from subscribers.preferences import fields, widgets


@pytest.mark.parametrize(
    ("text", "labels"),
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
def test_author_names_are_split_and_deduplicated(text, labels):
    assert list(fields.authors_field().clean(text).values()) == labels


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Graph Neural Networks, diffusion", ["graph neural network", "diffusion"]),
        ("L²NAS; “Mamba”\nmamba", ["l2na", "mamba"]),
        (",;\n ", []),
    ],
)
def test_keywords_are_split_and_normalised(text, keys):
    assert [target.key for target in fields.keywords_field().clean(text)] == keys


@pytest.mark.parametrize(
    ("entries", "ids"),
    [
        (["cs.RO", "CS.ro"], ["cs.RO"]),
        (["math.IT"], ["cs.IT"]),
        (["robotics"], ["cs.RO"]),
        ([], []),
    ],
)
def test_categories_are_resolved_by_id_alias_or_name(entries, ids):
    follows = fields.CategoriesField().clean(entries)

    assert follows == {FollowTarget("category", category_id): category_id for category_id in ids}


@pytest.mark.parametrize(
    ("entry", "suggestion"),
    [
        (
            "machine learning",
            "Did you mean Machine Learning (cs.LG) or Machine Learning (stat.ML)?",
        ),
        ("cs.R0", "Did you mean Robotics (cs.RO)"),
        ("§", "Categories look like cs.RO or math.AG."),
    ],
)
def test_an_unknown_category_gets_a_suggestion(entry, suggestion):
    with pytest.raises(ValidationError) as caught:
        fields.CategoriesField().clean([entry])

    assert suggestion in caught.value.message


def test_utc_comes_first_and_the_other_time_zones_are_sorted():
    names = [name for name, _ in fields.timezone_choices()]

    assert names[:3] == ["UTC", "Africa/Abidjan", "Africa/Accra"]
    assert names[1:] == sorted(names[1:])
    assert len(names) == len(set(names)) > 400


@pytest.mark.parametrize("old", ["US/Pacific", "Asia/Calcutta", "EST5EDT"])
def test_a_readers_outdated_time_zone_name_remains_a_choice(old):
    names = [name for name, _ in fields.timezone_choices(old)]

    assert names.count(old) == 1


def test_every_choice_is_a_time_zone():
    assert {name for name, _ in fields.timezone_choices()} <= send_time.timezone_names()


@pytest.mark.parametrize("chosen", ["Europe/Berlin", "UTC", "Asia/Calcutta"])
def test_the_time_zone_select_renders_like_djangos(chosen):
    choices = fields.timezone_choices(chosen)
    attrs = {"id": "id_timezone", "required": True, "aria-describedby": 'an "odd" name'}

    html = widgets.LongSelect(choices=choices).render("timezone", chosen, attrs)

    assertHTMLEqual(html, Select(choices=choices).render("timezone", chosen, attrs))


def test_time_zone_labels_have_spaces():
    assert ("America/New_York", "America/New York") in fields.timezone_choices()
