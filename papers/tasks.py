"""What Celery calls: each safe to run twice."""

from __future__ import annotations

import logging
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from papers import encoder, intake, polling, ranking, registry, vectors
from papers.intake import Taken
from papers.sources import http

logger = logging.getLogger(__name__)

# The rest waits for the next time; the command embed_papers does all at once.
EMBEDDED_AT_ONCE = 500


@shared_task
def fetch_papers() -> None:
    """Ask the sources that are due, then score; one that fails takes nothing from the others."""
    for name in polling.due(now=timezone.now()):
        fetch_from(name, now=timezone.now())
    score_papers()
    if encoder.is_installed():
        embed_papers.delay()


@shared_task
def embed_papers() -> None:
    """What the new papers are about: as many as a worker does in a minute, the newest of them."""
    logger.info("embedded %d papers", sum(vectors.embed(most=EMBEDDED_AT_ONCE)))


@shared_task
def score_papers() -> None:
    now = timezone.now()
    logger.info("scored %d papers", ranking.apply(now))


def fetch_from(name: str, *, now: datetime) -> None:
    taken = Taken(name)
    try:
        source = registry.source_named(name, patience=http.WORKER_PATIENCE)
        wanted = intake.wanted_of(name, days=intake.POLLED_DAYS, now=now)
        for part in intake.ask(source, wanted, clock=timezone.now):
            taken += part
    except intake.FAILURES as failure:
        logger.warning("%s: %s", name, failure)
    logger.info("%s", taken)
