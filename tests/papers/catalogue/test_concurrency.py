"""Two imports and a scoring at once: none fails, and nothing is lost or duplicated."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from papers.ingest import pipeline
from papers.models import Paper, Reading
from papers.topics import sync
from papers.trends import ranking
from tests.factories import NOW
from tests.papers.record_factories import record


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite allows only one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_concurrent_imports_and_scoring_lose_and_duplicate_nothing():
    sync.sync_topics()
    records = [record(comments=1) for _ in range(150)]
    failures: list[Exception] = []

    def import_records(seed: int) -> None:
        shuffler = random.Random(seed)
        for hour in range(8):
            shuffled = shuffler.sample(records, len(records))
            changed = [replace(record, title=f"{record.title} {hour}") for record in shuffled]
            pipeline.store_records("x", changed, observed_at=NOW + timedelta(hours=hour))

    def save_scores() -> None:
        for hour in range(8):
            ranking.save_scores(NOW + timedelta(hours=hour))

    def collect_failure(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    jobs: list[Callable[[], None]] = [
        lambda: import_records(1),
        lambda: import_records(2),
        save_scores,
    ]
    threads = [threading.Thread(target=collect_failure, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert Paper.objects.count() == 150
    assert Reading.objects.count() == 8 * 2 * 150
