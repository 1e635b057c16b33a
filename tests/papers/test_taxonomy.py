"""The rows follow the file, and readers' choices survive it."""

from __future__ import annotations

import pytest

from papers import taxonomy, topics
from papers.models import Topic
from tests import make

pytestmark = pytest.mark.django_db


def test_the_rows_become_those_of_the_file():
    ids = taxonomy.store()

    assert {topic.slug: topic.pk for topic in Topic.objects.all()} == ids
    assert list(ids) == [rule.slug for rule in topics.load()]


def test_storing_twice_changes_nothing_and_asks_once(django_assert_num_queries):
    ids = taxonomy.store()

    with django_assert_num_queries(1):
        assert taxonomy.store() == ids


def test_a_topic_that_was_renamed_keeps_its_row():
    old = make.topic("robotics", name="Machines", description="They move.")

    taxonomy.store()

    old.refresh_from_db()
    assert old.name == "Robotics and embodied AI"


def test_a_topic_that_left_the_file_stays_for_those_who_follow_it():
    gone = make.topic("alchemy")
    make.subscriber(topics=["alchemy"])

    assert "alchemy" not in taxonomy.store()
    assert Topic.objects.filter(pk=gone.pk).exists()
