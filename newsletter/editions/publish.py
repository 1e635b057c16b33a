"""Freezing a day's ranking into an edition, once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction

from newsletter.editions import follows
from newsletter.models import Edition, Entry
from papers.models import Paper
from papers.trends import ranking
from papers.trends.ranking import RankedPaper

logger = logging.getLogger(__name__)

# An edition holds the best papers of all, and the best of each topic and of each author, phrase and
# category that somebody follows.
MAX_OVERALL, MAX_PER_LABEL = 20, 10
# A list that has barely begun waits for the next edition: a paper enters one edition only, and in
# its first hours nobody can tell which will matter …
MIN_LISTING_AGE = timedelta(hours=12)
# … unless there would be too little to read without it.
MIN_PAPERS = 10
# The day's edition is published after this, in UTC: before Europe wakes up.
PUBLISH_AT = time(4)


@dataclass(frozen=True, slots=True)
class LabelledPaper:
    """A paper of an edition with what readers find it by."""

    ranked: RankedPaper
    topics: list[str]
    match_keys: list[str]


class NothingToPublishError(Exception):
    """No paper that was not in an edition before."""


def end_of_day(day: date) -> datetime:
    """The last moment of a day in UTC."""
    return datetime.combine(day, time.max, tzinfo=UTC)


def publish_edition(day: date, *, at: datetime) -> Edition:
    """The day's edition: made of what was known `at` that moment or, made before, as it was."""
    if edition := Edition.objects.filter(date=day).first():
        return edition
    chosen = papers_for_edition(at)
    if not chosen:
        raise NothingToPublishError(f"There is no new paper to publish an edition of {day} with.")
    with transaction.atomic():
        edition, created = Edition.objects.get_or_create(date=day, defaults={"published_at": at})
        if created:
            Entry.objects.bulk_create(build_entries(edition, chosen))
            logger.info("edition %s: published with %d papers", edition, len(chosen))
    return edition


def papers_for_edition(at: datetime) -> list[LabelledPaper]:
    """What an edition made at that moment holds, best first, each with what it is found by."""
    fresh = exclude_published(ranking.rank(at, listed_until=(at - MIN_LISTING_AGE).date()))
    if len(fresh) < MIN_PAPERS:
        fresh = exclude_published(ranking.rank(at))
    topics = topics_by_paper(fresh)
    matched = follows.match_papers(topics, follows.all_follows())
    labelled = [
        LabelledPaper(each, topics[each.paper_id], matched.get(each.paper_id, [])) for each in fresh
    ]
    return select_top_papers(labelled)


def exclude_published(ranked: Sequence[RankedPaper]) -> list[RankedPaper]:
    ids = [each.paper_id for each in ranked]
    featured = set(Entry.objects.filter(paper_id__in=ids).values_list("paper_id", flat=True))
    return [each for each in ranked if each.paper_id not in featured]


def topics_by_paper(ranked: Sequence[RankedPaper]) -> dict[int, list[str]]:
    """Paper id to topic slugs."""
    topics: dict[int, list[str]] = {each.paper_id: [] for each in ranked}
    pairs = Paper.topics.through.objects.filter(paper_id__in=topics).order_by("topic__slug")
    for paper_id, slug in pairs.values_list("paper_id", "topic__slug"):
        topics[paper_id].append(slug)
    return topics


def select_top_papers(labelled_papers: Sequence[LabelledPaper]) -> list[LabelledPaper]:
    """The best of all and of each label, best first."""
    taken: Counter[str] = Counter()
    chosen = []
    for position, each in enumerate(labelled_papers):
        labels = [*each.topics, *each.match_keys]
        if position < MAX_OVERALL or any(taken[label] < MAX_PER_LABEL for label in labels):
            chosen.append(each)
            taken.update(labels)
    return chosen


def build_entries(edition: Edition, labelled_papers: Sequence[LabelledPaper]) -> list[Entry]:
    """Entries with the figures of this moment, and each paper's rank within its topics."""
    seen: Counter[str] = Counter()
    entries = []
    for rank, each in enumerate(labelled_papers, start=1):
        seen.update(each.topics)
        entries.append(
            Entry(
                edition=edition,
                paper_id=each.ranked.paper_id,
                rank=rank,
                score=each.ranked.score,
                upvotes=each.ranked.upvotes,
                gain=each.ranked.gain,
                comments=each.ranked.comments,
                topic_ranks={slug: seen[slug] for slug in each.topics},
                matched=each.match_keys,
            )
        )
    return entries


def current_edition(*, now: datetime) -> Edition | None:
    """The edition that a reader who is due now should get, if it is there.

    Today's or, before it is time for that, yesterday's: never one that the reader has had, for
    then their day would pass without a digest.
    """
    today = now.date()
    first = today if now.time() >= PUBLISH_AT else today - timedelta(days=1)
    return Edition.objects.filter(date__gte=first, date__lte=today).order_by("-date").first()
