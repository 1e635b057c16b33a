"""The rows follow the file, and readers' choices survive it."""

from __future__ import annotations

import pytest

from papers.models import Topic
from papers.topics import classifier, sync
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_rows_become_those_of_the_file():
    ids = sync.sync_topics()

    assert {topic.slug: topic.pk for topic in Topic.objects.all()} == ids
    assert list(ids) == [rule.slug for rule in classifier.load_rules()]


def test_storing_twice_changes_nothing_and_asks_once(django_assert_num_queries):
    ids = sync.sync_topics()

    with django_assert_num_queries(1):
        assert sync.sync_topics() == ids


def test_a_topic_that_was_renamed_keeps_its_row():
    old = factories.topic("robotics", name="Machines", description="They move.")

    sync.sync_topics()

    old.refresh_from_db()
    assert old.name == "Robotics and embodied AI"


def test_a_topic_that_left_the_file_stays_for_those_who_follow_it():
    gone = factories.topic("alchemy")
    factories.subscriber(topics=["alchemy"])

    assert "alchemy" not in sync.sync_topics()
    assert Topic.objects.filter(pk=gone.pk).exists()
