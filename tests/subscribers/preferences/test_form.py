"""subscribers/preferences/form.py"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from subscribers.models import Preferences
from subscribers.preferences.form import PreferencesForm
from tests import factories
from tests.subscribers.preferences.form_data import VALID_DATA

pytestmark = pytest.mark.django_db


@pytest.fixture
def preferences():
    factories.topic("robotics")
    factories.topic("speech")
    return factories.subscriber(topics=["robotics"]).preferences


def bound_form(preferences: Preferences, **changed: object) -> PreferencesForm:
    data = QueryDict(urlencode(VALID_DATA | changed, doseq=True))
    return PreferencesForm(data, instance=preferences, now=factories.NOW)


def test_valid_data_has_no_errors(preferences):
    assert not bound_form(preferences).errors


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"attitudes-astrology": "follow"}, "attitudes"),
        ({"attitudes-speech": "adore"}, "attitudes"),
        ({"attitudes-": "follow"}, "attitudes"),
        ({"authors": "Ada Lovelace\n???"}, "authors"),
        ({"authors": "\n".join(f"Ada Lovelace{n}" for n in range(51))}, "authors"),
        ({"authors": "A" * 201}, "authors"),
        ({"authors": "\ufdfa" * 199}, "authors"),
        ({"authors": "Ada\x00 Lovelace"}, "authors"),
        ({"keywords": "the"}, "keywords"),
        ({"keywords": ",".join(f"word{n}" for n in range(51))}, "keywords"),
        ({"keywords": " ".join(["\ufb03" * 45] * 4)}, "keywords"),
        ({"categories": "cs.ROB"}, "categories"),
        ({"categories": "\x00"}, "categories"),
        ({"categories": ["x" * 100_000]}, "categories"),
        ({"length": "2"}, "length"),
        ({"length": "21"}, "length"),
        ({"length": "9" * 5000}, "length"),
        ({"length": ""}, "length"),
        ({"minimum": "0"}, "minimum"),
        ({"minimum": "21"}, "minimum"),
        ({"detail": "everything"}, "detail"),
        ({"frequency": "hourly"}, "frequency"),
        ({"weekday": "7"}, "weekday"),
        ({"hour": "24"}, "hour"),
        ({"hour": "-1"}, "hour"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"paused_until": "tomorrow"}, "paused_until"),
        ({"paused_until": "9999-12-31"}, "paused_until"),
        ({"paused_until": "2026-02-30"}, "paused_until"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode().replace("\x00", "0"),
)
def test_an_invalid_value_is_an_error_of_its_field(preferences, changed, field):
    assert list(bound_form(preferences, **changed).errors) == [field]


@pytest.mark.parametrize("date", ["2026-05-12", "2026-01-01", "0001-01-01"])
def test_a_pause_that_is_over_is_dropped(preferences, date):
    form = bound_form(preferences, paused_until=date)

    assert not form.errors
    assert form.cleaned_data["paused_until"] is None
