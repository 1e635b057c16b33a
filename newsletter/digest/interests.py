"""Load what subscribers follow, prefer and mute: three queries for any number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from newsletter.digest.selection import Interests
from newsletter.editions.follows import match_key
from papers.topics.follows import FollowTarget
from subscribers.models import Follow, Preferences, Subscriber, TopicChoice
from subscribers.preferences import votes

Attitude = TopicChoice.Attitude


def interests_by_subscriber(readers: Collection[Subscriber]) -> dict[int, Interests]:
    """Return the interests of each subscriber, by id.

    Pass subscribers loaded with `select_related("preferences")`, or each costs one more query.
    """
    attitudes, follows = attitudes_by_subscriber(readers), follows_by_subscriber(readers)
    adjustments = votes.topic_adjustments_by_subscriber(
        [reader for reader in readers if reader.preferences.learning]
    )
    return {
        reader.pk: build_interests(
            reader.preferences, attitudes[reader.pk], follows[reader.pk], adjustments[reader.pk]
        )
        for reader in readers
    }


def build_interests(
    preferences: Preferences,
    attitudes: Mapping[str, str],
    follows: Mapping[FollowTarget, str],
    topic_adjustments: Mapping[str, float],
) -> Interests:
    """Return the interests of preferences, which may be unsaved, without a query.

    `attitudes` are by topic slug; `follows` map each term to the text the reader typed.
    """
    muted = topics_with_attitude(attitudes, Attitude.MUTE)
    by_category = {match_key(*term): label for term, label in follows.items() if is_category(term)}
    by_name = {match_key(*term): label for term, label in follows.items() if not is_category(term)}
    return Interests(
        length=preferences.length,
        minimum=preferences.minimum,
        topics=frozenset(attitudes).difference(muted),
        preferred=topics_with_attitude(attitudes, Attitude.PREFER),
        muted=muted,
        categories=by_category,
        named_follows=by_name,
        topic_adjustments=topic_adjustments if preferences.learning else {},
    )


def topics_with_attitude(attitudes: Mapping[str, str], attitude: Attitude) -> frozenset[str]:
    return frozenset(slug for slug, chosen in attitudes.items() if chosen == attitude)


def is_category(term: FollowTarget) -> bool:
    return term.kind == "category"


def attitudes_by_subscriber(readers: Iterable[Subscriber]) -> defaultdict[int, dict[str, str]]:
    """Return the attitude to each topic slug, by subscriber id, in one query."""
    attitudes: defaultdict[int, dict[str, str]] = defaultdict(dict)
    rows = TopicChoice.objects.filter(preferences__subscriber__in=readers)
    for pk, slug, attitude in rows.values_list(
        "preferences__subscriber", "topic__slug", "attitude"
    ):
        attitudes[pk][slug] = attitude
    return attitudes


def follows_by_subscriber(
    readers: Iterable[Subscriber],
) -> defaultdict[int, dict[FollowTarget, str]]:
    """Return the label of each followed term, by subscriber id, in the order of following."""
    follows: defaultdict[int, dict[FollowTarget, str]] = defaultdict(dict)
    rows = Follow.objects.filter(subscriber__in=readers).order_by("pk")
    for pk, kind, key, label in rows.values_list("subscriber", "kind", "key", "label"):
        follows[pk][FollowTarget(cast(Any, kind), key)] = label
    return follows
