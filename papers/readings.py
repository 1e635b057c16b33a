"""What was counted, and when: observations are added, never changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from papers.models import Reading
from papers.sources import Record

# Rows in one statement.
BATCH = 1000
# Which of a record's figures each kind of reading is.
FIGURES = {
    Reading.Source.HUGGINGFACE_UPVOTES: "upvotes",
    Reading.Source.HUGGINGFACE_COMMENTS: "comments",
    Reading.Source.GITHUB_STARS: "stars",
    Reading.Source.SEMANTIC_SCHOLAR_CITATIONS: "citations",
    Reading.Source.SEMANTIC_SCHOLAR_INFLUENTIAL: "influential_citations",
    Reading.Source.OPENALEX_CITATIONS: "cited_by",
}


def observe(told: Iterable[tuple[Record, int]], *, observed_at: datetime) -> int:
    """Keep the figures that records tell of papers at that moment; how many were not kept yet.

    A figure that the source does not tell is not a zero. The first figure of a moment stays.
    """
    figures: dict[tuple[int, str], int] = {}
    for record, paper_id in told:
        for source, name in FIGURES.items():
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
    Reading.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
    return len(new)


def hour_of(moment: datetime) -> datetime:
    """The moment of a live reading: a source that is asked twice in an hour is read once."""
    return moment.replace(minute=0, second=0, microsecond=0)
