"""Freezing a day's ranking into an edition, once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction

from newsletter.models import Edition, Entry
from papers import ranking
from papers.models import Paper
from papers.ranking import Ranked

logger = logging.getLogger(__name__)

# An edition holds the best papers of all, and the best of each topic.
OVERALL, PER_TOPIC = 20, 10
# A list that has barely begun waits for the next edition: a paper enters one edition only, and in
# its first hours nobody can tell which will matter …
MATURE_AFTER = timedelta(hours=12)
# … unless there would be too little to read without it.
FEWEST = 10
# The day's edition is published after this, in UTC: before Europe wakes up.
PUBLISH_AT = time(4)


class NothingToPublish(Exception):
    """No paper that was not in an edition before."""


def end_of(day: date) -> datetime:
    """The last moment of a day in UTC."""
    return datetime.combine(day, time.max, tzinfo=UTC)


def publish(day: date, *, at: datetime) -> Edition:
    """The day's edition: made of what was known `at` that moment or, made before, as it was."""
    if edition := Edition.objects.filter(date=day).first():
        return edition
    chosen = candidates(at)
    if not chosen:
        raise NothingToPublish(f"There is no new paper to publish an edition of {day} with.")
    with transaction.atomic():
        edition, created = Edition.objects.get_or_create(date=day, defaults={"published_at": at})
        if created:
            Entry.objects.bulk_create(frozen(edition, chosen))
            logger.info("edition %s: published with %d papers", edition, len(chosen))
    return edition


def candidates(at: datetime) -> list[tuple[Ranked, list[str]]]:
    """What an edition made at that moment holds, best first, each with its topics."""
    fresh = unfeatured(ranking.rank(at, listed_until=(at - MATURE_AFTER).date()))
    if len(fresh) < FEWEST:
        fresh = unfeatured(ranking.rank(at))
    return select(fresh, topics_of(fresh))


def unfeatured(ranked: Sequence[Ranked]) -> list[Ranked]:
    ids = [each.paper_id for each in ranked]
    featured = set(Entry.objects.filter(paper_id__in=ids).values_list("paper_id", flat=True))
    return [each for each in ranked if each.paper_id not in featured]


def topics_of(ranked: Sequence[Ranked]) -> dict[int, list[str]]:
    """Paper id to topic slugs."""
    topics: dict[int, list[str]] = {each.paper_id: [] for each in ranked}
    pairs = Paper.topics.through.objects.filter(paper_id__in=topics).order_by("topic__slug")
    for paper_id, slug in pairs.values_list("paper_id", "topic__slug"):
        topics[paper_id].append(slug)
    return topics


def select(
    ranked: Sequence[Ranked], topics: dict[int, list[str]]
) -> list[tuple[Ranked, list[str]]]:
    """The best of all and of each topic, best first."""
    taken: Counter[str] = Counter()
    chosen = []
    for position, each in enumerate(ranked):
        slugs = topics[each.paper_id]
        if position < OVERALL or any(taken[slug] < PER_TOPIC for slug in slugs):
            chosen.append((each, slugs))
            taken.update(slugs)
    return chosen


def frozen(edition: Edition, chosen: Sequence[tuple[Ranked, list[str]]]) -> list[Entry]:
    """Entries with the figures of this moment, and each paper's rank within its topics."""
    seen: Counter[str] = Counter()
    entries = []
    for rank, (each, slugs) in enumerate(chosen, start=1):
        seen.update(slugs)
        entries.append(
            Entry(
                edition=edition,
                paper_id=each.paper_id,
                rank=rank,
                score=each.score,
                upvotes=each.upvotes,
                gain=each.gain,
                topic_ranks={slug: seen[slug] for slug in slugs},
            )
        )
    return entries


def newest(*, now: datetime) -> Edition | None:
    """The edition that a reader who is due now should get, if it is there.

    Today's or, before it is time for that, yesterday's: never one that the reader has had, for
    then their day would pass without a digest.
    """
    today = now.date()
    first = today if now.time() >= PUBLISH_AT else today - timedelta(days=1)
    return Edition.objects.filter(date__gte=first, date__lte=today).order_by("-date").first()
