"""Two intakes and a scoring at once: nobody fails, nothing doubles."""

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


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite lets one writer in at a time by itself"
)
@pytest.mark.django_db(transaction=True)
def test_intakes_and_scoring_at_once_lose_and_double_nothing():
    sync.sync_topics()
    records = [record(comments=1) for _ in range(150)]
    failures: list[Exception] = []

    def take_in(seed: int) -> None:
        mine = random.Random(seed)
        for turn in range(8):
            shuffled = mine.sample(records, len(records))
            news = [replace(each, title=f"{each.title} {turn}") for each in shuffled]
            pipeline.store_records("x", news, observed_at=NOW + timedelta(hours=turn))

    def score() -> None:
        for turn in range(8):
            ranking.save_scores(NOW + timedelta(hours=turn))

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    works: list[Callable[[], None]] = [lambda: take_in(1), lambda: take_in(2), score]
    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert Paper.objects.count() == 150
    assert Reading.objects.count() == 8 * 2 * 150
