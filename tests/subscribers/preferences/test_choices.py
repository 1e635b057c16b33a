"""subscribers/preferences/choices.py"""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from papers.topics.follows import FollowTarget
from subscribers.models import Follow, Preferences, TopicChoice
from subscribers.preferences import choices
from tests import factories

pytestmark = pytest.mark.django_db


def attitudes(preferences: Preferences) -> dict[str, str]:
    return dict(preferences.topic_choices.values_list("topic__slug", "attitude"))


def test_attitudes_replace_those_there_were():
    wanted = factories.subscriber(attitudes={"robotics": "mute", "speech": "follow"}).preferences

    choices.set_topic_preferences(
        wanted, {factories.topic("robotics"): "prefer", factories.topic("agents"): "mute"}
    )

    assert attitudes(wanted) == {"robotics": "prefer", "agents": "mute"}


def test_one_attitude_is_changed_and_taken_back():
    wanted = factories.subscriber(topics=["robotics"]).preferences

    choices.set_topic_preference(wanted, factories.topic("speech"), "mute")
    assert attitudes(wanted) == {"robotics": "follow", "speech": "mute"}

    choices.set_topic_preference(wanted, factories.topic("speech"), "")
    assert attitudes(wanted) == {"robotics": "follow"}


def test_following_other_topics_keeps_what_is_preferred_and_muted():
    wanted = factories.subscriber(
        attitudes={"robotics": "prefer", "speech": "mute", "agents": "mute", "vision": "follow"}
    ).preferences

    choices.follow_topics(wanted, [factories.topic("robotics"), factories.topic("agents")])

    assert attitudes(wanted) == {"robotics": "prefer", "speech": "mute", "agents": "follow"}


def test_follows_are_kept_in_the_order_they_were_written():
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
def test_the_schema_refuses_what_cannot_be_followed(row):
    ada = factories.subscriber(follows=[("author", "lovelace a", "Ada Lovelace")])

    with pytest.raises(IntegrityError), transaction.atomic():
        Follow.objects.create(subscriber=ada, **row)


def test_the_schema_knows_one_attitude_to_a_topic():
    wanted = factories.subscriber(topics=["robotics"]).preferences
    robotics = factories.topic("robotics")

    with pytest.raises(IntegrityError), transaction.atomic():
        TopicChoice.objects.create(preferences=wanted, topic=robotics, attitude="mute")
    with pytest.raises(IntegrityError), transaction.atomic():
        TopicChoice.objects.update(attitude="adore")


@pytest.mark.parametrize(
    "changed", [{"minimum": 0}, {"minimum": 21}, {"detail": "everything"}, {"length": 2}]
)
def test_the_schema_refuses_preferences_that_cannot_be(changed):
    factories.subscriber()

    with pytest.raises(IntegrityError), transaction.atomic():
        Preferences.objects.update(**changed)
