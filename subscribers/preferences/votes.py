"""What readers said of papers: kept, taken back, and what is learned from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from papers.models import Paper
from subscribers.models import Subscriber, Vote
from subscribers.preferences import learning
from subscribers.preferences.learning import WeightedVote

# A vote for more like this, and one for less.
WEIGHT_BY_VERB = {Vote.Verb.MORE: learning.VOTE_WEIGHT, Vote.Verb.LESS: -learning.VOTE_WEIGHT}


def cast(subscriber: Subscriber, paper: Paper, verb: str, *, now: datetime) -> None:
    """Their word on a paper, instead of an earlier one; empty takes it back."""
    if verb:
        word = {"verb": verb, "at": now}
        Vote.objects.update_or_create(subscriber=subscriber, paper=paper, defaults=word)
    else:
        Vote.objects.filter(subscriber=subscriber, paper=paper).delete()


def delete_votes(subscriber: Subscriber) -> int:
    """Begin anew; how many votes there were."""
    return subscriber.votes.all().delete()[0]


def topic_adjustments_by_subscriber(
    readers: Iterable[Subscriber],
) -> defaultdict[int, dict[str, float]]:
    """Subscriber id to what their votes say of topics, in one query."""
    topics: defaultdict[tuple[int, int, str], set[str]] = defaultdict(set)
    rows = Vote.objects.filter(subscriber__in=readers, paper__topics__isnull=False)
    for reader, paper, verb, slug in rows.values_list(
        "subscriber", "paper", "verb", "paper__topics__slug"
    ):
        topics[reader, paper, verb].add(slug)
    evidence: defaultdict[int, list[WeightedVote]] = defaultdict(list)
    for (reader, _, verb), slugs in topics.items():
        evidence[reader].append(WeightedVote(frozenset(slugs), WEIGHT_BY_VERB[Vote.Verb(verb)]))
    found: defaultdict[int, dict[str, float]] = defaultdict(dict)
    found.update((reader, learning.topic_adjustments(signs)) for reader, signs in evidence.items())
    return found
