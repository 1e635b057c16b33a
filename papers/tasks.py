"""What Celery calls: each safe to run twice."""

from __future__ import annotations

import logging
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from papers.ingest import pipeline, registry, schedule
from papers.ingest.pipeline import Taken
from papers.search import embeddings, encoder
from papers.sources import http
from papers.trends import ranking

logger = logging.getLogger(__name__)

# The rest waits for the next time; the command embed_papers does all at once.
EMBEDDED_AT_ONCE = 500


@shared_task(name="papers.tasks.fetch_papers")
def fetch_papers() -> None:
    """Ask the sources that are due, then score; one that fails takes nothing from the others."""
    for name in schedule.due(now=timezone.now()):
        fetch_from(name, now=timezone.now())
    score_papers()
    if encoder.is_installed():
        embed_papers.delay()


@shared_task(name="papers.tasks.embed_papers")
def embed_papers() -> None:
    """What the new papers are about: as many as a worker does in a minute, the newest of them."""
    logger.info("embedded %d papers", sum(embeddings.embed(most=EMBEDDED_AT_ONCE)))


@shared_task(name="papers.tasks.score_papers")
def score_papers() -> None:
    now = timezone.now()
    logger.info("scored %d papers", ranking.apply(now))


def fetch_from(name: str, *, now: datetime) -> None:
    taken = Taken(name)
    try:
        source = registry.source_named(name, patience=http.WORKER_PATIENCE)
        wanted = pipeline.wanted_of(name, days=pipeline.POLLED_DAYS, now=now)
        for part in pipeline.ask(source, wanted, clock=timezone.now):
            taken += part
    except pipeline.FAILURES as failure:
        logger.warning("%s: %s", name, failure)
    logger.info("%s", taken)
