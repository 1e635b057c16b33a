"""Rank the papers that trend at a moment, from the readings up to that moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from papers.models import TRENDING_WINDOW_DAYS, Paper, Reading
from papers.trends import score as trends_score

# The gain "since yesterday" is measured from a reading that is this much older than the newest.
GAIN_WINDOW_MIN, GAIN_WINDOW_MAX = timedelta(hours=20), timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class RankedPaper:
    """A paper's score and metrics at a moment."""

    paper_id: int
    score: float
    upvotes: int
    comments: int
    stars: int | None
    # Upvotes gained in about a day; None without a reading of a day before.
    gain: int | None
    listed_on: date


def rank(as_of: datetime, *, listed_until: date | None = None) -> list[RankedPaper]:
    """Return the papers listed in the trending window, the highest score first, in two queries.

    Readings after `as_of` are ignored, so the ranking of a past moment can be computed again.
    Papers listed after `listed_until` are left out. Papers of equal score are ordered by comments,
    then by identity.
    """
    today = as_of.date()
    metrics = latest_metrics(
        as_of,
        first_day=today - timedelta(days=TRENDING_WINDOW_DAYS),
        last_day=today if listed_until is None else min(today, listed_until),
    )
    earlier_upvotes = upvotes_a_day_earlier(metrics)
    # Both sorts are stable: the identity decides among papers of equal score and comments.
    metrics.sort(key=lambda paper: paper.identity)
    ranked = [
        RankedPaper(
            paper_id=paper.paper_id,
            score=trends_score.trending_score(paper.upvotes or 0, age=today - paper.listed_on),
            upvotes=paper.upvotes or 0,
            comments=paper.comments or 0,
            stars=paper.stars,
            gain=upvote_gain(paper, earlier_upvotes.get(paper.paper_id)),
            listed_on=paper.listed_on,
        )
        for paper in metrics
    ]
    return sorted(ranked, key=lambda paper: (-paper.score, -paper.comments))


@transaction.atomic
def save_scores(as_of: datetime) -> int:
    """Write the ranking of a moment to the papers; return the number of ranked papers.

    Papers that no longer trend get a score of zero and keep their other metrics. A repeat changes
    nothing.
    """
    ranked = rank(as_of)
    ids = [paper.paper_id for paper in ranked]
    # Lock in the order of identities, like the catalogue does: otherwise the two could deadlock.
    affected = Paper.objects.filter(Q(pk__in=ids) | Q(score__gt=0)).order_by("identity")
    list(affected.select_for_update(no_key=True).values_list("pk"))

    rows = [
        (paper.score, paper.upvotes, paper.comments, paper.stars, paper.paper_id)
        for paper in ranked
    ]
    with connection.cursor() as cursor:
        # This is ten times as fast as bulk_update, and works on both databases.
        cursor.executemany(
            f"UPDATE {Paper._meta.db_table}"
            " SET score = %s, upvotes = %s, comments = %s, stars = %s WHERE id = %s",
            rows,
        )
    Paper.objects.filter(pk__in=ids).update(scored_at=as_of)
    Paper.objects.filter(score__gt=0).exclude(pk__in=ids).update(score=0.0, scored_at=as_of)
    return len(ranked)


@dataclass(frozen=True, slots=True)
class PaperMetrics:
    """A paper's newest metrics, and the time of its upvotes."""

    paper_id: int
    identity: str
    listed_on: date
    upvotes: int | None
    upvotes_at: datetime | None
    comments: int | None
    stars: int | None


def latest_metrics(as_of: datetime, *, first_day: date, last_day: date) -> list[PaperMetrics]:
    """Return the papers listed between two days with their newest metrics, in one query."""
    upvotes = readings_newest_first(Reading.Metric.HUGGINGFACE_UPVOTES, as_of)
    comments = readings_newest_first(Reading.Metric.HUGGINGFACE_COMMENTS, as_of)
    stars = readings_newest_first(Reading.Metric.GITHUB_STARS, as_of)
    rows = (
        Paper.objects.listed_between(first_day, last_day)
        .filter(withdrawn=False)
        .values_list(
            "pk",
            "identity",
            "listed_on",
            Subquery(upvotes.values("value")[:1]),
            Subquery(upvotes.values("observed_at")[:1]),
            Subquery(comments.values("value")[:1]),
            Subquery(stars.values("value")[:1]),
        )
    )
    return [PaperMetrics(*row) for row in rows]


def readings_newest_first(metric: Reading.Metric, as_of: datetime) -> QuerySet[Reading]:
    """Return the outer query's paper's readings of a metric, the newest first."""
    readings = Reading.objects.filter(paper=OuterRef("pk"), source=metric, observed_at__lte=as_of)
    return readings.order_by("-observed_at")


def upvotes_a_day_earlier(metrics: Sequence[PaperMetrics]) -> dict[int, int]:
    """Return each paper's upvotes about a day before its newest reading, by id, in one query."""
    newest_at = {
        paper.paper_id: paper.upvotes_at for paper in metrics if paper.upvotes_at is not None
    }
    if not newest_at:
        return {}
    rows = Reading.objects.filter(
        source=Reading.Metric.HUGGINGFACE_UPVOTES,
        paper__listed_on__gte=min(paper.listed_on for paper in metrics),
        observed_at__gte=min(newest_at.values()) - GAIN_WINDOW_MAX,
        observed_at__lte=max(newest_at.values()) - GAIN_WINDOW_MIN,
    )
    rows = rows.order_by("observed_at")
    upvotes: dict[int, int] = {}
    # Ordered by time, so the last reading inside the window stays.
    for paper_id, observed_at, value in rows.values_list("paper_id", "observed_at", "value"):
        if paper_id not in newest_at:
            continue
        if GAIN_WINDOW_MIN <= newest_at[paper_id] - observed_at <= GAIN_WINDOW_MAX:
            upvotes[paper_id] = value
    return upvotes


def upvote_gain(metrics: PaperMetrics, earlier_upvotes: int | None) -> int | None:
    if metrics.upvotes is None or earlier_upvotes is None:
        return None
    return metrics.upvotes - earlier_upvotes
