"""What was counted, and when: observations are added, never changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import Max, Min, Window
from django.db.models.functions import RowNumber, TruncWeek

from papers.models import Paper, Reading
from papers.sources import Record

# Rows in one statement.
INSERT_BATCH_SIZE = 1000
# Papers whose readings are looked at together.
PAPERS_PER_PAGE = 200
# Which of a record's figures each kind of reading is.
METRIC_FIELDS = {
    Reading.Metric.HUGGINGFACE_UPVOTES: "upvotes",
    Reading.Metric.HUGGINGFACE_COMMENTS: "comments",
    Reading.Metric.GITHUB_STARS: "stars",
    Reading.Metric.SEMANTIC_SCHOLAR_CITATIONS: "citations",
    Reading.Metric.SEMANTIC_SCHOLAR_INFLUENTIAL: "influential_citations",
    Reading.Metric.OPENALEX_CITATIONS: "cited_by",
}


def record_readings(stored_records: Iterable[tuple[Record, int]], *, observed_at: datetime) -> int:
    """Keep the figures that records tell of papers at that moment; how many were not kept yet.

    A figure that the source does not tell is not a zero. The first figure of a moment stays.
    """
    figures: dict[tuple[int, str], int] = {}
    for record, paper_id in stored_records:
        for source, name in METRIC_FIELDS.items():
            if (value := getattr(record, name)) is not None and value >= 0:
                figures.setdefault((paper_id, source), value)
    papers = {paper_id for paper_id, _ in figures}
    kept = set(
        Reading.objects.filter(paper__in=papers, observed_at=observed_at).values_list(
            "paper_id", "source"
        )
    )
    new = [
        Reading(paper_id=paper_id, source=source, value=value, observed_at=observed_at)
        for (paper_id, source), value in sorted(figures.items())
        if (paper_id, source) not in kept
    ]
    Reading.objects.bulk_create(new, batch_size=INSERT_BATCH_SIZE, ignore_conflicts=True)
    return len(new)


def truncate_to_hour(moment: datetime) -> datetime:
    """The moment of a live reading: a source that is asked twice in an hour is read once."""
    return moment.replace(minute=0, second=0, microsecond=0)


def downsample(*, before: datetime) -> int:
    """Of each week before then keep a paper's newest reading of each kind, and its very first.

    Weeks begin on Monday, in UTC. How many were let go; again, it lets go of none.
    """
    gone = 0
    ends = Paper.objects.aggregate(first=Min("pk"), last=Max("pk"))
    last, newest = (ends["first"] or 1) - 1, ends["last"] or 0
    while last < newest:
        papers = Reading.objects.filter(paper__gt=last, paper__lte=last + PAPERS_PER_PAGE)
        places = papers.filter(observed_at__lt=before).annotate(
            back=Window(
                RowNumber(),
                partition_by=["paper", "source", TruncWeek("observed_at", tzinfo=UTC)],
                order_by="-observed_at",
            ),
            forth=Window(RowNumber(), partition_by=["paper", "source"], order_by="observed_at"),
        )
        spare = places.filter(back__gt=1, forth__gt=1)
        gone += Reading.objects.filter(pk__in=list(spare.values_list("pk", flat=True))).delete()[0]
        last += PAPERS_PER_PAGE
    return gone
