"""subscribers/transfer/import_rows.py"""

from __future__ import annotations

from typing import Any

import pytest

from papers.topics.follows import FollowTarget
from subscribers.transfer import import_rows
from tests import factories

pytestmark = pytest.mark.django_db

ADA = "ada@example.org"


@pytest.fixture(autouse=True)
def _topics():
    factories.topic("robotics")
    factories.topic("speech")


def row(**fields: Any) -> import_rows.ImportRow:
    return import_rows.parse_row(
        {"email": ADA} | fields, known_topics=import_rows.load_topic_slugs()
    )


def test_missing_values_are_none():
    assert row(topics="", timezone=None) == import_rows.ImportRow(email=ADA)


@pytest.mark.parametrize("topics", ["robotics,speech", "robotics, speech", "robotics;speech"])
def test_a_row_with_all_columns_is_parsed(topics):
    parsed = row(
        email=" Ada@Example.org ",
        topics=topics,
        timezone="Asia/Tokyo",
        hour="00",
        categories="cs.RO;math.IT",
        authors="Noether, Emmy; Ada Lovelace",
        keywords="State space models",
    )

    assert parsed == import_rows.ImportRow(
        email=ADA,
        topics=("robotics", "speech"),
        timezone="Asia/Tokyo",
        hour=0,
        follows={
            FollowTarget("category", "cs.RO"): "cs.RO",
            FollowTarget("category", "cs.IT"): "cs.IT",
            FollowTarget("author", "noether emmy"): "Noether, Emmy",
            FollowTarget("author", "lovelace ada"): "Ada Lovelace",
            FollowTarget("keyword", "state space model"): "State space models",
        },
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"email": "ada"}, "An email address must have an @-sign."),
        ({"email": ""}, "An email address must have an @-sign."),
        ({"topics": "robotics,astrology"}, "Unknown topic 'astrology'."),
        ({"timezone": "Berlin"}, "Unknown time zone 'Berlin': use a name like Europe/Berlin."),
        ({"hour": "24"}, "The hour must be a number from 0 to 23, not '24'."),
        ({"hour": "７"}, "The hour must be a number from 0 to 23, not '７'."),
        ({"categories": "§"}, "arXiv has no category “§”. Categories look like cs.RO or math.AG."),
        (
            {"authors": "??"},
            "“??” is not a valid name. Please enter it as it appears on papers.",
        ),
        ({"hour": "7:30"}, "The hour must be a number from 0 to 23, not '7:30'."),
    ],
)
def test_an_invalid_value_is_an_error(fields, sentence):
    with pytest.raises(import_rows.InvalidRowError) as caught:
        row(**fields)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"frequency": "hourly"}, "Invalid frequency: Select a valid choice."),
        ({"length": "21"}, "Invalid length: Ensure this value is less than"),
        ({"paused_until": "soon"}, "Invalid paused_until: Enter a valid date."),
        ({"muted": "astrology"}, "Unknown topic 'astrology'."),
    ],
)
def test_an_invalid_preference_is_an_error(fields, sentence):
    with pytest.raises(import_rows.InvalidRowError, match=sentence):
        row(**fields)
