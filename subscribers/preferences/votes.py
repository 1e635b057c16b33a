"""Store readers' votes on papers, and compute topic adjustments from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from papers.models import Paper
from subscribers.models import Subscriber, Vote
from subscribers.preferences import learning
from subscribers.preferences.learning import WeightedVote

WEIGHT_BY_VERB = {Vote.Verb.MORE: learning.VOTE_WEIGHT, Vote.Verb.LESS: -learning.VOTE_WEIGHT}


def cast(subscriber: Subscriber, paper: Paper, verb: str, *, now: datetime) -> None:
    """Store the vote, replacing an earlier one on the paper; delete it if `verb` is empty."""
    if verb:
        Vote.objects.update_or_create(
            subscriber=subscriber, paper=paper, defaults={"verb": verb, "at": now}
        )
    else:
        Vote.objects.filter(subscriber=subscriber, paper=paper).delete()


def delete_votes(subscriber: Subscriber) -> int:
    """Delete all votes of a reader, and return how many there were."""
    return subscriber.votes.all().delete()[0]


def topic_adjustments_by_subscriber(
    readers: Iterable[Subscriber],
) -> defaultdict[int, dict[str, float]]:
    """Return topic adjustments by subscriber id, in one query for all readers."""
    slugs_by_vote: defaultdict[tuple[int, int, str], set[str]] = defaultdict(set)
    rows = Vote.objects.filter(subscriber__in=readers, paper__topics__isnull=False)
    for subscriber_id, paper_id, verb, slug in rows.values_list(
        "subscriber", "paper", "verb", "paper__topics__slug"
    ):
        slugs_by_vote[subscriber_id, paper_id, verb].add(slug)
    votes: defaultdict[int, list[WeightedVote]] = defaultdict(list)
    for (subscriber_id, _, verb), slugs in slugs_by_vote.items():
        weight = WEIGHT_BY_VERB[Vote.Verb(verb)]
        votes[subscriber_id].append(WeightedVote(frozenset(slugs), weight))
    adjustments: defaultdict[int, dict[str, float]] = defaultdict(dict)
    for subscriber_id, weighted_votes in votes.items():
        adjustments[subscriber_id] = learning.topic_adjustments(weighted_votes)
    return adjustments
