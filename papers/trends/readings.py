"""Record what sources count, and when.

Readings are only added, never changed, so any past ranking can be computed again. Only `downsample`
deletes old ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db.models import Max, Min, Window
from django.db.models.functions import RowNumber, TruncWeek

from papers.models import Paper, Reading
from papers.sources import Record

# Rows per INSERT statement.
INSERT_BATCH_SIZE = 1000
# Papers whose readings are downsampled together.
PAPERS_PER_PAGE = 200
# The field of a record with each metric's value.
METRIC_FIELDS = {
    Reading.Metric.HUGGINGFACE_UPVOTES: "upvotes",
    Reading.Metric.HUGGINGFACE_COMMENTS: "comments",
    Reading.Metric.GITHUB_STARS: "stars",
    Reading.Metric.SEMANTIC_SCHOLAR_CITATIONS: "citations",
    Reading.Metric.SEMANTIC_SCHOLAR_INFLUENTIAL: "influential_citations",
    Reading.Metric.OPENALEX_CITATIONS: "cited_by",
}


def record_readings(stored_records: Iterable[tuple[Record, int]], *, observed_at: datetime) -> int:
    """Store the metrics in records as readings of a moment; return the number of new readings.

    A value that the source does not report is missing, not zero. The first reading of a paper and
    metric at a moment stays, so a repeat changes nothing.
    """
    values: dict[tuple[int, str], int] = {}
    for record, paper_id in stored_records:
        for metric, field_name in METRIC_FIELDS.items():
            if (value := getattr(record, field_name)) is not None and value >= 0:
                values.setdefault((paper_id, metric), value)
    paper_ids = {paper_id for paper_id, _ in values}
    existing = set(
        Reading.objects.filter(paper__in=paper_ids, observed_at=observed_at).values_list(
            "paper_id", "source"
        )
    )
    new = [
        Reading(paper_id=paper_id, source=metric, value=value, observed_at=observed_at)
        for (paper_id, metric), value in sorted(values.items())
        if (paper_id, metric) not in existing
    ]
    Reading.objects.bulk_create(new, batch_size=INSERT_BATCH_SIZE, ignore_conflicts=True)
    return len(new)


def truncate_to_hour(moment: datetime) -> datetime:
    """Return the moment to record a live reading at: at most one reading an hour is kept."""
    return moment.replace(minute=0, second=0, microsecond=0)


def downsample(*, before: datetime) -> int:
    """Thin out the readings before a moment; return the number of deleted readings.

    Per paper and metric, the very first reading and the last one of each week (Monday to Sunday,
    UTC) are kept. A repeat deletes nothing. Papers are processed page by page, so that neither a
    query nor a transaction becomes large.
    """
    deleted_count = 0
    id_range = Paper.objects.aggregate(first=Min("pk"), last=Max("pk"))
    page_start, last_id = id_range["first"] or 1, id_range["last"] or 0
    while page_start <= last_id:
        old_readings = Reading.objects.filter(
            paper__gte=page_start, paper__lt=page_start + PAPERS_PER_PAGE, observed_at__lt=before
        )
        numbered = old_readings.annotate(
            number_from_week_end=Window(
                RowNumber(),
                partition_by=["paper", "source", TruncWeek("observed_at", tzinfo=UTC)],
                order_by="-observed_at",
            ),
            number_from_first=Window(
                RowNumber(), partition_by=["paper", "source"], order_by="observed_at"
            ),
        )
        surplus = numbered.filter(number_from_week_end__gt=1, number_from_first__gt=1)
        surplus_ids = list(surplus.values_list("pk", flat=True))
        deleted_count += Reading.objects.filter(pk__in=surplus_ids).delete()[0]
        page_start += PAPERS_PER_PAGE
    return deleted_count
