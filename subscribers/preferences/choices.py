"""What readers make of topics, people, phrases and papers: rows, and how they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from django.db import transaction

from papers.models import Topic
from papers.topics.follows import FollowTarget
from subscribers.models import Attitude, Follow, TopicChoice

if TYPE_CHECKING:
    from subscribers.models import Preferences, Subscriber

# How many authors, phrases and categories each a reader may follow.
MAX_FOLLOWS_PER_KIND = 50


@transaction.atomic
def set_topic_preferences(preferences: Preferences, attitudes: Mapping[Topic, str]) -> None:
    """What they think of topics, and of no others."""
    preferences.topic_choices.exclude(topic__in=attitudes).delete()
    rows = (TopicChoice(topic=topic, attitude=word) for topic, word in attitudes.items())
    upsert_choices(preferences, rows)


def set_topic_preference(preferences: Preferences, topic: Topic, attitude: str) -> None:
    """What they think of one topic; empty for nothing."""
    if attitude:
        upsert_choices(preferences, [TopicChoice(topic=topic, attitude=attitude)])
    else:
        preferences.topic_choices.filter(topic=topic).delete()


def upsert_choices(preferences: Preferences, rows: Iterable[TopicChoice]) -> None:
    chosen = list(rows)
    for row in chosen:
        row.preferences = preferences
    TopicChoice.objects.bulk_create(
        chosen,
        update_conflicts=True,
        unique_fields=["preferences", "topic"],
        update_fields=["attitude"],
    )


@transaction.atomic
def follow_topics(preferences: Preferences, topics: Iterable[Topic]) -> None:
    """Follow these and no others. What is preferred or muted stays so, unless this says otherwise."""
    before = {row.topic: row.attitude for row in preferences.topic_choices.select_related("topic")}
    muted = {topic: word for topic, word in before.items() if word == Attitude.MUTE}
    wished = {topic: word for topic, word in before.items() if word != Attitude.MUTE}
    followed = {topic: wished.get(topic, Attitude.FOLLOW) for topic in topics}
    set_topic_preferences(preferences, {**muted, **followed})


@transaction.atomic
def set_follows(
    subscriber: Subscriber,
    labels: Mapping[FollowTarget, str],
    *,
    kinds: Iterable[str] = Follow.FollowKind.values,
) -> None:
    """Follow these and nothing else of those kinds, in this order, as they wrote each."""
    subscriber.follows.filter(kind__in=list(kinds)).delete()
    Follow.objects.bulk_create(
        Follow(subscriber=subscriber, kind=term.kind, key=term.key, label=label)
        for term, label in labels.items()
    )
