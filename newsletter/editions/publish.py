"""Publish an edition: freeze the ranking of a day, once."""

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

# An edition holds the best papers overall, and the best of each label: a topic, or an author,
# keyword or category that a reader follows.
MAX_OVERALL, MAX_PER_LABEL = 20, 10
# Papers listed more recently than this wait for the next edition. A paper enters one edition only,
# and its votes of the first hours say little …
MIN_LISTING_AGE = timedelta(hours=12)
# … unless the edition would have fewer papers than this without them.
MIN_PAPERS_WITHOUT_RECENT = 10
# The day's edition is published after this time in UTC: before Europe wakes up.
PUBLISH_AT = time(4)


@dataclass(frozen=True, slots=True)
class LabelledPaper:
    """A ranked paper with its topic slugs and match keys, by which readers follow it."""

    ranked: RankedPaper
    topics: list[str]
    match_keys: list[str]


class NothingToPublishError(Exception):
    """Every paper is in an earlier edition, or there is no paper at all."""


def end_of_day(day: date) -> datetime:
    """Return the last moment of a day in UTC."""
    return datetime.combine(day, time.max, tzinfo=UTC)


def publish_edition(day: date, *, at: datetime) -> Edition:
    """Return the day's edition; create it from the ranking at the moment `at` if there is none.

    Raise NothingToPublishError if no paper is new. Safe to repeat, also at once: an edition that
    exists is returned unchanged.
    """
    if edition := Edition.objects.filter(date=day).first():
        return edition
    papers = papers_for_edition(at)
    if not papers:
        raise NothingToPublishError(f"There are no new papers for the edition of {day}.")
    with transaction.atomic():
        edition, created = Edition.objects.get_or_create(date=day, defaults={"published_at": at})
        if created:
            Entry.objects.bulk_create(build_entries(edition, papers))
            logger.info("edition %s: published with %d papers", edition, len(papers))
    return edition


def papers_for_edition(at: datetime) -> list[LabelledPaper]:
    """Return the papers of an edition made at that moment, best first."""
    ranked = exclude_published(ranking.rank(at, listed_until=(at - MIN_LISTING_AGE).date()))
    if len(ranked) < MIN_PAPERS_WITHOUT_RECENT:
        ranked = exclude_published(ranking.rank(at))
    topics = topics_by_paper(ranked)
    match_keys = follows.match_papers(topics, follows.all_follows())
    return select_top_papers(
        [
            LabelledPaper(paper, topics[paper.paper_id], match_keys.get(paper.paper_id, []))
            for paper in ranked
        ]
    )


def exclude_published(ranked: Sequence[RankedPaper]) -> list[RankedPaper]:
    """Return the papers that are in no edition yet, in the same order."""
    ids = [paper.paper_id for paper in ranked]
    published = set(Entry.objects.filter(paper_id__in=ids).values_list("paper_id", flat=True))
    return [paper for paper in ranked if paper.paper_id not in published]


def topics_by_paper(ranked: Sequence[RankedPaper]) -> dict[int, list[str]]:
    """Return the sorted topic slugs of each paper, by id, in one query."""
    topics: dict[int, list[str]] = {paper.paper_id: [] for paper in ranked}
    pairs = Paper.topics.through.objects.filter(paper_id__in=topics).order_by("topic__slug")
    for paper_id, slug in pairs.values_list("paper_id", "topic__slug"):
        topics[paper_id].append(slug)
    return topics


def select_top_papers(labelled_papers: Sequence[LabelledPaper]) -> list[LabelledPaper]:
    """Return the best papers overall and of each label, in the same order (pure)."""
    label_counts: Counter[str] = Counter()
    selected = []
    for position, paper in enumerate(labelled_papers):
        labels = [*paper.topics, *paper.match_keys]
        if position < MAX_OVERALL or any(label_counts[label] < MAX_PER_LABEL for label in labels):
            selected.append(paper)
            label_counts.update(labels)
    return selected


def build_entries(edition: Edition, labelled_papers: Sequence[LabelledPaper]) -> list[Entry]:
    """Return unsaved entries with each paper's current figures and its rank within its topics."""
    topic_counts: Counter[str] = Counter()
    entries = []
    for rank, paper in enumerate(labelled_papers, start=1):
        topic_counts.update(paper.topics)
        entries.append(
            Entry(
                edition=edition,
                paper_id=paper.ranked.paper_id,
                rank=rank,
                score=paper.ranked.score,
                upvotes=paper.ranked.upvotes,
                gain=paper.ranked.gain,
                comments=paper.ranked.comments,
                topic_ranks={slug: topic_counts[slug] for slug in paper.topics},
                matched=paper.match_keys,
            )
        )
    return entries


def current_edition(*, now: datetime) -> Edition | None:
    """Return the edition for a reader who is due now, or None if it is not published yet.

    That is today's, or yesterday's before PUBLISH_AT. Do not fall back to yesterday's later in the
    day: the reader has had it, and their day would count as served without a digest.
    """
    today = now.date()
    first = today if now.time() >= PUBLISH_AT else today - timedelta(days=1)
    return Edition.objects.filter(date__gte=first, date__lte=today).order_by("-date").first()
