"""What was counted, and when: observations are added, never changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from papers.models import Paper, Reading
from papers.sources import Record

# Rows in one statement.
BATCH = 1000
# Which of a record's figures each kind of reading is.
FIGURES = {
    Reading.Source.HUGGINGFACE_UPVOTES: "upvotes",
    Reading.Source.HUGGINGFACE_COMMENTS: "comments",
    Reading.Source.GITHUB_STARS: "stars",
}


def observe(records: Iterable[Record], *, observed_at: datetime) -> int:
    """Keep the records' figures of that moment; how many were not kept yet.

    A figure that the source does not tell is not a zero. The first figure of a moment stays.
    """
    figures = {
        (record.arxiv_id, source): value
        for record in records
        for source, name in FIGURES.items()
        if (value := getattr(record, name)) is not None and value >= 0
    }
    ids = dict(
        Paper.objects.filter(arxiv_id__in={arxiv_id for arxiv_id, _ in figures}).values_list(
            "arxiv_id", "pk"
        )
    )
    kept = set(
        Reading.objects.filter(paper__in=ids.values(), observed_at=observed_at).values_list(
            "paper_id", "source"
        )
    )
    new = [
        Reading(paper_id=ids[arxiv_id], source=source, value=value, observed_at=observed_at)
        for (arxiv_id, source), value in sorted(figures.items())
        if arxiv_id in ids and (ids[arxiv_id], source) not in kept
    ]
    Reading.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
    return len(new)


def hour_of(moment: datetime) -> datetime:
    """The moment of a live reading: a source that is asked twice in an hour is read once."""
    return moment.replace(minute=0, second=0, microsecond=0)
