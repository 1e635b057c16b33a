"""The Celery tasks of this app. Each is safe to run twice, also at the same time."""

from __future__ import annotations

import logging
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from papers.ingest import pipeline, registry, schedule
from papers.ingest.pipeline import IngestResult
from papers.search import encoder
from papers.sources import http
from papers.trends import ranking

logger = logging.getLogger(__name__)

# About a minute of work. The rest follows in the next run; the command embed_papers has no limit.
MAX_EMBEDDED_PER_RUN = 500


@shared_task(name="papers.tasks.fetch_papers")
def fetch_papers() -> None:
    """Poll the sources that are due, then score the papers.

    A source that fails stops neither the other sources nor the scoring.
    """
    for name in schedule.due_sources(now=timezone.now()):
        fetch_source(name, now=timezone.now())
    score_papers()
    if encoder.is_installed():
        embed_papers.delay()


@shared_task(name="papers.tasks.embed_papers")
def embed_papers() -> None:
    """Embed the newest papers that have no embedding yet."""
    from papers.search import embeddings  # noqa: PLC0415 -- imports numpy, which takes 0.1 s

    logger.info("embedded %d papers", sum(embeddings.embed_missing(limit=MAX_EMBEDDED_PER_RUN)))


@shared_task(name="papers.tasks.score_papers")
def score_papers() -> None:
    now = timezone.now()
    logger.info("scored %d papers", ranking.save_scores(now))


def fetch_source(name: str, *, now: datetime) -> None:
    """Poll a source, and log the result; what was stored before a failure is kept."""
    result = IngestResult(name)
    try:
        source = registry.get_source(name, timeout_seconds=http.WORKER_TIMEOUT_SECONDS)
        request = pipeline.build_fetch_request(name, days=pipeline.POLLED_DAYS, now=now)
        for part in pipeline.poll_and_record(source, request, clock=timezone.now):
            result += part
    except pipeline.EXPECTED_ERRORS as error:
        logger.warning("%s: %s", name, error)
    logger.info("%s", result)
