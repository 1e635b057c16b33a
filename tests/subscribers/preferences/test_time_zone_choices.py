"""subscribers/preferences/fields.py: choices of time zones"""

from __future__ import annotations

import pytest
from django.forms import Select
from pytest_django.asserts import assertHTMLEqual

from subscribers import send_time
from subscribers.preferences import fields


def test_time_zones_start_with_utc_and_are_sorted():
    names = [name for name, _ in fields.timezone_choices()]

    assert names[:3] == ["UTC", "Africa/Abidjan", "Africa/Accra"]
    assert names[1:] == sorted(names[1:])
    assert len(names) == len(set(names)) > 400


@pytest.mark.parametrize("old", ["US/Pacific", "Asia/Calcutta", "EST5EDT"])
def test_a_deprecated_zone_name_in_use_stays_a_choice(old):
    names = [name for name, _ in fields.timezone_choices(old)]

    assert names.count(old) == 1


def test_every_choice_is_a_time_zone():
    assert {name for name, _ in fields.timezone_choices()} <= send_time.timezone_names()


@pytest.mark.parametrize("chosen", ["Europe/Berlin", "UTC", "Asia/Calcutta"])
def test_the_time_zone_list_is_rendered_as_django_would(chosen):
    choices = fields.timezone_choices(chosen)
    attrs = {"id": "id_timezone", "required": True, "aria-describedby": 'an "odd" name'}

    ours = fields.LongSelect(choices=choices).render("timezone", chosen, attrs)

    assertHTMLEqual(ours, Select(choices=choices).render("timezone", chosen, attrs))


def test_labels_show_spaces_instead_of_underscores():
    assert ("America/New_York", "America/New York") in fields.timezone_choices()
