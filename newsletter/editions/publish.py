"""Publish editions: freeze the ranking of a day, once."""

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

# An edition holds the best papers overall, and the best of each topic and of each author, phrase and
# category that a reader follows.
MAX_OVERALL, MAX_PER_LABEL = 20, 10
# Papers listed more recently wait for the next edition: a paper enters one edition only, and votes of
# the first hours predict little …
MIN_LISTING_AGE = timedelta(hours=12)
# … unless the edition would have fewer papers than this.
MIN_PAPERS = 10
# The day's edition is published after this, in UTC: before Europe wakes up.
PUBLISH_AT = time(4)


@dataclass(frozen=True, slots=True)
class LabelledPaper:
    """A paper of an edition, with its topics and the follows that it matches."""

    ranked: RankedPaper
    topics: list[str]
    match_keys: list[str]


class NothingToPublishError(Exception):
    """Every ranked paper has been in an edition already."""


def end_of_day(day: date) -> datetime:
    """Return the last moment of a day in UTC."""
    return datetime.combine(day, time.max, tzinfo=UTC)


def publish_edition(day: date, *, at: datetime) -> Edition:
    """Publish the edition of a day from what was known at that moment; safe to repeat.

    Return the existing edition if there is one: an edition never changes. Raise
    NothingToPublishError if no paper is new.
    """
    if edition := Edition.objects.filter(date=day).first():
        return edition
    papers = papers_for_edition(at)
    if not papers:
        raise NothingToPublishError(f"There is no new paper to publish an edition of {day} with.")
    with transaction.atomic():
        edition, created = Edition.objects.get_or_create(date=day, defaults={"published_at": at})
        if created:
            Entry.objects.bulk_create(build_entries(edition, papers))
            logger.info("edition %s: published with %d papers", edition, len(papers))
    return edition


def papers_for_edition(at: datetime) -> list[LabelledPaper]:
    """Return the papers of an edition made at that moment, best first, with their labels."""
    fresh = exclude_published(ranking.rank(at, listed_until=(at - MIN_LISTING_AGE).date()))
    if len(fresh) < MIN_PAPERS:
        fresh = exclude_published(ranking.rank(at))
    topics = topics_by_paper(fresh)
    matched = follows.match_papers(topics, follows.all_follows())
    labelled = [
        LabelledPaper(paper, topics[paper.paper_id], matched.get(paper.paper_id, []))
        for paper in fresh
    ]
    return select_top_papers(labelled)


def exclude_published(ranked: Sequence[RankedPaper]) -> list[RankedPaper]:
    ids = [paper.paper_id for paper in ranked]
    featured = set(Entry.objects.filter(paper_id__in=ids).values_list("paper_id", flat=True))
    return [paper for paper in ranked if paper.paper_id not in featured]


def topics_by_paper(ranked: Sequence[RankedPaper]) -> dict[int, list[str]]:
    """Return the topic slugs of each paper, by paper id."""
    topics: dict[int, list[str]] = {paper.paper_id: [] for paper in ranked}
    pairs = Paper.topics.through.objects.filter(paper_id__in=topics).order_by("topic__slug")
    for paper_id, slug in pairs.values_list("paper_id", "topic__slug"):
        topics[paper_id].append(slug)
    return topics


def select_top_papers(labelled_papers: Sequence[LabelledPaper]) -> list[LabelledPaper]:
    """Return the best papers overall and of each label, best first."""
    count_by_label: Counter[str] = Counter()
    selected = []
    for position, paper in enumerate(labelled_papers):
        labels = [*paper.topics, *paper.match_keys]
        has_room = any(count_by_label[label] < MAX_PER_LABEL for label in labels)
        if position < MAX_OVERALL or has_room:
            selected.append(paper)
            count_by_label.update(labels)
    return selected


def build_entries(edition: Edition, labelled_papers: Sequence[LabelledPaper]) -> list[Entry]:
    """Return unsaved entries with the figures of this moment and each paper's rank in its topics."""
    rank_by_topic: Counter[str] = Counter()
    entries = []
    for rank, paper in enumerate(labelled_papers, start=1):
        rank_by_topic.update(paper.topics)
        entries.append(
            Entry(
                edition=edition,
                paper_id=paper.ranked.paper_id,
                rank=rank,
                score=paper.ranked.score,
                upvotes=paper.ranked.upvotes,
                gain=paper.ranked.gain,
                comments=paper.ranked.comments,
                topic_ranks={slug: rank_by_topic[slug] for slug in paper.topics},
                matched=paper.match_keys,
            )
        )
    return entries


def current_edition(*, now: datetime) -> Edition | None:
    """Return the edition for a reader who is due now, or None if it is not published yet.

    That is today's edition, or yesterday's before PUBLISH_AT. Never return an older one: the reader has
    had it, and their day would pass without a digest.
    """
    today = now.date()
    first = today if now.time() >= PUBLISH_AT else today - timedelta(days=1)
    return Edition.objects.filter(date__gte=first, date__lte=today).order_by("-date").first()
