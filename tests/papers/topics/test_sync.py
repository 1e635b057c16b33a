"""Topic rows are synced with the file, and readers keep their choices."""

from __future__ import annotations

import pytest

from papers.models import Topic
from papers.topics import rules, sync
from tests import factories

pytestmark = pytest.mark.django_db


def test_sync_creates_a_row_for_each_topic_in_the_file():
    ids = sync.sync_topics()

    assert {topic.slug: topic.pk for topic in Topic.objects.all()} == ids
    assert list(ids) == [rule.slug for rule in rules.load_rules()]


def test_a_repeat_changes_nothing_and_takes_one_query(django_assert_num_queries):
    ids = sync.sync_topics()

    with django_assert_num_queries(1):
        assert sync.sync_topics() == ids


def test_a_topic_that_was_renamed_keeps_its_row():
    old = factories.topic("robotics", name="Machines", description="They move.")

    sync.sync_topics()

    old.refresh_from_db()
    assert old.name == "Robotics and embodied AI"


def test_a_topic_removed_from_the_file_keeps_its_row_for_its_followers():
    removed = factories.topic("alchemy")
    factories.subscriber(topics=["alchemy"])

    assert "alchemy" not in sync.sync_topics()
    assert Topic.objects.filter(pk=removed.pk).exists()
