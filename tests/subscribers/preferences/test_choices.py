"""subscribers/preferences/choices.py"""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from papers.topics.follows import FollowTarget
from subscribers.models import Follow, Preferences, TopicChoice
from subscribers.preferences import choices
from tests import factories

pytestmark = pytest.mark.django_db


def stored_attitudes(preferences: Preferences) -> dict[str, str]:
    return dict(preferences.topic_choices.values_list("topic__slug", "attitude"))


def test_setting_attitudes_replaces_all_earlier_ones():
    preferences = factories.subscriber(
        attitudes={"robotics": "mute", "speech": "follow"}
    ).preferences

    choices.set_topic_preferences(
        preferences, {factories.topic("robotics"): "prefer", factories.topic("agents"): "mute"}
    )

    assert stored_attitudes(preferences) == {"robotics": "prefer", "agents": "mute"}


def test_one_attitude_can_be_set_and_deleted():
    preferences = factories.subscriber(topics=["robotics"]).preferences

    choices.set_topic_preference(preferences, factories.topic("speech"), "mute")
    assert stored_attitudes(preferences) == {"robotics": "follow", "speech": "mute"}

    choices.set_topic_preference(preferences, factories.topic("speech"), "")
    assert stored_attitudes(preferences) == {"robotics": "follow"}


def test_following_topics_keeps_preferred_and_other_muted_topics():
    preferences = factories.subscriber(
        attitudes={"robotics": "prefer", "speech": "mute", "agents": "mute", "vision": "follow"}
    ).preferences

    choices.follow_topics(preferences, [factories.topic("robotics"), factories.topic("agents")])

    assert stored_attitudes(preferences) == {
        "robotics": "prefer",
        "speech": "mute",
        "agents": "follow",
    }


def test_setting_follows_replaces_them_and_keeps_their_order():
    ada, ben = (
        factories.subscriber(),
        factories.subscriber(follows=[("author", "noether e", "E. Noether")]),
    )
    choices.set_follows(ada, {FollowTarget("keyword", "b"): "B", FollowTarget("keyword", "a"): "A"})
    choices.set_follows(
        ada, {FollowTarget("keyword", "c"): "C", FollowTarget("keyword", "a"): "a!"}
    )

    assert [follow.label for follow in ada.follows.order_by("pk")] == ["C", "a!"]
    assert ben.follows.count() == 1


@pytest.mark.parametrize(
    "row",
    [
        {"kind": "journal", "key": "nature", "label": "Nature"},
        {"kind": "author", "key": "", "label": "?"},
        {"kind": "author", "key": "noether e", "label": ""},
        {"kind": "author", "key": "lovelace a", "label": "Again"},
    ],
)
def test_the_database_rejects_an_invalid_follow(row):
    ada = factories.subscriber(follows=[("author", "lovelace a", "Ada Lovelace")])

    with pytest.raises(IntegrityError), transaction.atomic():
        Follow.objects.create(subscriber=ada, **row)


def test_the_database_rejects_a_second_or_unknown_attitude():
    preferences = factories.subscriber(topics=["robotics"]).preferences
    robotics = factories.topic("robotics")

    with pytest.raises(IntegrityError), transaction.atomic():
        TopicChoice.objects.create(preferences=preferences, topic=robotics, attitude="mute")
    with pytest.raises(IntegrityError), transaction.atomic():
        TopicChoice.objects.update(attitude="adore")


@pytest.mark.parametrize(
    "changed", [{"minimum": 0}, {"minimum": 21}, {"detail": "everything"}, {"length": 2}]
)
def test_the_database_rejects_invalid_preferences(changed):
    factories.subscriber()

    with pytest.raises(IntegrityError), transaction.atomic():
        Preferences.objects.update(**changed)
