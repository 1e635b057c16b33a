"""Change what a reader follows, prefers and mutes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from papers.models import Topic
from papers.topics.follows import FollowTarget
from subscribers.models import Attitude, Follow, Preferences, Subscriber, TopicChoice

# The maximum for each kind: authors, keywords and categories.
MAX_FOLLOWS_PER_KIND = 50


@transaction.atomic
def set_topic_preferences(preferences: Preferences, attitudes: Mapping[Topic, str]) -> None:
    """Replace all topic attitudes by these."""
    preferences.topic_choices.exclude(topic__in=attitudes).delete()
    upsert_choices(
        preferences,
        (TopicChoice(topic=topic, attitude=attitude) for topic, attitude in attitudes.items()),
    )


def set_topic_preference(preferences: Preferences, topic: Topic, attitude: str) -> None:
    """Set the attitude to one topic; delete it if `attitude` is empty."""
    if attitude:
        upsert_choices(preferences, [TopicChoice(topic=topic, attitude=attitude)])
    else:
        preferences.topic_choices.filter(topic=topic).delete()


def upsert_choices(preferences: Preferences, topic_choices: Iterable[TopicChoice]) -> None:
    rows = list(topic_choices)
    for row in rows:
        row.preferences = preferences
    TopicChoice.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["preferences", "topic"],
        update_fields=["attitude"],
    )


@transaction.atomic
def follow_topics(preferences: Preferences, topics: Iterable[Topic]) -> None:
    """Follow these topics and no others.

    A topic that is already preferred stays so. Muted topics stay muted unless they are in `topics`.
    """
    current = {
        choice.topic: choice.attitude
        for choice in preferences.topic_choices.select_related("topic")
    }
    muted = {topic: attitude for topic, attitude in current.items() if attitude == Attitude.MUTE}
    followed = {
        topic: Attitude.FOLLOW if topic in muted else current.get(topic, Attitude.FOLLOW)
        for topic in topics
    }
    set_topic_preferences(preferences, {**muted, **followed})


@transaction.atomic
def set_follows(
    subscriber: Subscriber,
    labels: Mapping[FollowTarget, str],
    *,
    kinds: Iterable[str] = Follow.FollowKind.values,
) -> None:
    """Replace all follows of those kinds by these, keeping their order and what was typed."""
    subscriber.follows.filter(kind__in=list(kinds)).delete()
    Follow.objects.bulk_create(
        Follow(subscriber=subscriber, kind=target.kind, key=target.key, label=label)
        for target, label in labels.items()
    )
