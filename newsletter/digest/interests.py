"""What readers want, as choosing sees it: for many of them in three queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from newsletter.digest.selection import Wanted
from newsletter.editions.follows import name
from papers.topics.follows import Term
from subscribers.models import Follow, Preferences, Subscriber, TopicChoice
from subscribers.preferences import votes

Attitude = TopicChoice.Attitude


def by(readers: Collection[Subscriber]) -> dict[int, Wanted]:
    """Subscriber id to what they want; give them with their preferences."""
    attitudes, follows = attitudes_by(readers), follows_by(readers)
    leanings = votes.leanings_by([each for each in readers if each.preferences.learning])
    return {
        reader.pk: assemble(
            reader.preferences, attitudes[reader.pk], follows[reader.pk], leanings[reader.pk]
        )
        for reader in readers
    }


def assemble(
    preferences: Preferences,
    attitudes: Mapping[str, str],
    follows: Mapping[Term, str],
    leanings: Mapping[str, float],
) -> Wanted:
    """From topic slugs to attitudes, and from terms to how they were written."""
    by_category = {name(*term): label for term, label in follows.items() if is_category(term)}
    by_name = {name(*term): label for term, label in follows.items() if not is_category(term)}
    return Wanted(
        length=preferences.length,
        minimum=preferences.minimum,
        topics=frozenset(slug for slug, word in attitudes.items() if word != Attitude.MUTE),
        preferred=frozenset(slug for slug, word in attitudes.items() if word == Attitude.PREFER),
        muted=frozenset(slug for slug, word in attitudes.items() if word == Attitude.MUTE),
        categories=by_category,
        named=by_name,
        leanings=leanings if preferences.learning else {},
    )


def is_category(term: Term) -> bool:
    return term.kind == Follow.Kind.CATEGORY


def attitudes_by(readers: Iterable[Subscriber]) -> defaultdict[int, dict[str, str]]:
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    rows = TopicChoice.objects.filter(preferences__subscriber__in=readers)
    for pk, slug, attitude in rows.values_list(
        "preferences__subscriber", "topic__slug", "attitude"
    ):
        found[pk][slug] = attitude
    return found


def follows_by(readers: Iterable[Subscriber]) -> defaultdict[int, dict[Term, str]]:
    found: defaultdict[int, dict[Term, str]] = defaultdict(dict)
    rows = Follow.objects.filter(subscriber__in=readers).order_by("pk")
    for pk, kind, key, label in rows.values_list("subscriber", "kind", "key", "label"):
        found[pk][Term(cast(Any, kind), key)] = label
    return found
