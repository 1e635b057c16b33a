"""What Celery calls: each safe to run twice."""

from __future__ import annotations

import logging
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from papers.ingest import pipeline, registry, schedule
from papers.ingest.pipeline import IngestResult
from papers.search import embeddings, encoder
from papers.sources import http
from papers.trends import ranking

logger = logging.getLogger(__name__)

# The rest waits for the next time; the command embed_papers does all at once.
MAX_EMBEDDED_PER_RUN = 500


@shared_task(name="papers.tasks.fetch_papers")
def fetch_papers() -> None:
    """Ask the sources that are due, then score; one that fails takes nothing from the others."""
    for name in schedule.due_sources(now=timezone.now()):
        fetch_source(name, now=timezone.now())
    score_papers()
    if encoder.is_installed():
        embed_papers.delay()


@shared_task(name="papers.tasks.embed_papers")
def embed_papers() -> None:
    """What the new papers are about: as many as a worker does in a minute, the newest of them."""
    logger.info("embedded %d papers", sum(embeddings.embed_missing(limit=MAX_EMBEDDED_PER_RUN)))


@shared_task(name="papers.tasks.score_papers")
def score_papers() -> None:
    now = timezone.now()
    logger.info("scored %d papers", ranking.save_scores(now))


def fetch_source(name: str, *, now: datetime) -> None:
    taken = IngestResult(name)
    try:
        source = registry.get_source(name, timeout_seconds=http.WORKER_TIMEOUT_SECONDS)
        wanted = pipeline.build_fetch_request(name, days=pipeline.POLLED_DAYS, now=now)
        for part in pipeline.poll_and_record(source, wanted, clock=timezone.now):
            taken += part
    except pipeline.EXPECTED_ERRORS as failure:
        logger.warning("%s: %s", name, failure)
    logger.info("%s", taken)
