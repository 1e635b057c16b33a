"""papers/web/ratelimit.py, with the configured storage; some tests always use the table."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from django.conf import settings as configured
from django.db import connection, connections

from papers.web import ratelimit
from papers.web.models import RateLimitCounter
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage_is_up() -> Iterator[None]:
    ratelimit.storage_down_until.clear()
    yield
    ratelimit.storage_down_until.clear()
    ratelimit.get_storage.cache_clear()


@pytest.fixture
def database_storage(settings: Any) -> Iterator[time_machine.Traveller]:
    """Count in the table, and freeze the clock."""
    settings.REDIS_URL = ""
    ratelimit.get_storage.cache_clear()
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def count_allowed(rate: str, *key_parts: str, times: int = 1) -> int:
    return sum(ratelimit.hit(rate, *key_parts).allowed for _ in range(times))


def test_calls_over_the_limit_are_refused() -> None:
    assert count_allowed("3/hour", "a test", "203.0.113.1", times=5) == 3


def test_every_caller_purpose_and_rate_is_counted_separately() -> None:
    for rate, *key_parts in [
        ("1/hour", "signup", "ab"),
        ("1/hour", "signup", "a", "b"),
        ("1/hour", "signupa", "b"),
        ("1/minute", "signup", "ab"),
    ]:
        assert count_allowed(rate, *key_parts, times=2) == 1


def test_a_result_holds_what_is_left_of_the_window() -> None:
    first = ratelimit.hit("2/minute", "expectations")
    second = ratelimit.hit("2/minute", "expectations")
    third = ratelimit.hit("2/minute", "expectations")

    assert [result.allowed for result in (first, second, third)] == [True, True, False]
    assert [result.remaining for result in (first, second, third)] == [1, 0, 0]
    assert (first.limit, first.window_seconds, first.retry_after_seconds) == (2, 60, 0)
    assert 0 < third.retry_after_seconds == third.reset_after_seconds <= 60


def test_a_call_may_cost_more_than_one() -> None:
    assert ratelimit.hit("5/hour", "cost", cost=4).remaining == 1
    assert ratelimit.hit("5/hour", "cost", cost=2).allowed is False


@pytest.mark.usefixtures("database_storage")
def test_a_window_expires_and_the_next_call_opens_another(
    database_storage: time_machine.Traveller,
) -> None:
    assert count_allowed("2/minute", "a", times=3) == 2
    database_storage.shift(timedelta(seconds=59))
    assert ratelimit.hit("2/minute", "a").retry_after_seconds == 1
    database_storage.shift(timedelta(seconds=1))
    assert count_allowed("2/minute", "a", times=3) == 2


@pytest.mark.usefixtures("database_storage")
def test_addresses_are_stored_only_as_hashes() -> None:
    ratelimit.hit("2/minute", "signup", "ada@example.org", "203.0.113.1")

    (key,) = RateLimitCounter.objects.values_list("key", flat=True)
    assert not any(text in key for text in ("signup", "ada", "example", "203"))


@pytest.mark.usefixtures("database_storage")
@pytest.mark.parametrize("caller", ["", "\x00", "\ud800", "é" * 10_000, "%s/1;--"])
def test_hostile_key_parts_are_counted(caller: str) -> None:
    assert count_allowed("1/hour", "name", caller, times=2) == 1


def test_expired_rows_are_deleted(
    database_storage: time_machine.Traveller,
) -> None:
    for name in "abc":
        ratelimit.hit("2/minute", name)
    ratelimit.hit("2/hour", "still open")
    database_storage.shift(timedelta(seconds=61))

    ratelimit.hit("2/minute", "d")

    assert RateLimitCounter.objects.count() == 2


@pytest.mark.usefixtures("database_storage")
def test_a_call_costs_two_queries(django_assert_num_queries: Any) -> None:
    ratelimit.hit("9/minute", "a")

    with django_assert_num_queries(2):
        ratelimit.hit("9/minute", "b")


@pytest.fixture
def broken_redis(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


@pytest.mark.usefixtures("broken_redis")
def test_on_failure_decides_while_the_storage_is_down() -> None:
    api_call = ratelimit.hit("2/minute", "api")
    signup = ratelimit.hit("2/minute", "signup", on_failure="refuse")

    assert (api_call.allowed, api_call.remaining, api_call.retry_after_seconds) == (True, 2, 0)
    assert (signup.allowed, signup.remaining, signup.retry_after_seconds) == (False, 0, 60)


@pytest.mark.usefixtures("broken_redis")
def test_a_storage_that_is_down_is_logged_once_and_tried_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        count_allowed("2/minute", "api", times=3)
        first_lines = [record.getMessage() for record in caplog.records]
        clock.shift(ratelimit.REDIS_RETRY_AFTER_SECONDS)
        ratelimit.hit("2/minute", "api")

    assert first_lines == ["rate limits are not enforced, storage unavailable: ConnectionError"]
    assert len(caplog.records) == 2


@pytest.mark.skipif(not configured.REDIS_URL, reason="needs a Redis: python -m tests.servers")
def test_redis_keys_hold_no_address_and_expire() -> None:
    ratelimit.hit("2/minute", "redis", "ada@example.org")

    with redis.Redis.from_url(configured.REDIS_URL) as client:
        keys = list(client.scan_iter("throttle:*"))
        assert keys
        assert not any(b"ada" in key or b"redis" in key for key in keys)
        assert all(0 < client.ttl(key) <= 3600 for key in keys)


def count_allowed_concurrently(
    call: Callable[[], bool], *, threads: int = 8, times: int = 10
) -> int:
    """Return how many of the calls that many threads make at once are allowed."""
    start = threading.Barrier(threads)
    results: list[bool] = []

    def call_repeatedly() -> None:
        try:
            start.wait()
            results.extend([call() for _ in range(times)])
        finally:
            connections.close_all()

    workers = [threading.Thread(target=call_repeatedly) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == threads * times
    return sum(results)


@pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="the SQLite test database is in memory; the next test covers SQLite",
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("storage", ["database", "as configured"])
def test_concurrent_calls_never_exceed_the_limit(settings: Any, storage: str) -> None:
    settings.REDIS_URL = "" if storage == "database" else settings.REDIS_URL

    assert count_allowed_concurrently(lambda: ratelimit.hit("50/hour", storage).allowed) == 50


def test_concurrent_calls_never_exceed_the_limit_in_an_sqlite_file(tmp_path: Path) -> None:
    statement = re.sub(r"%\((\w+)\)s", r":\1", ratelimit.DatabaseStorage.INCREMENT_SQL)
    values = {"key": "a", "amount": 1, "now": 0, "closes": 60}

    def count() -> bool:
        with closing(sqlite3.connect(tmp_path / "db.sqlite3", timeout=20)) as db, db:
            return bool(db.execute(statement, values).fetchone()[0] <= 50)

    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE papers_hits (key TEXT PRIMARY KEY, count INT, expires_at REAL)")

    assert count_allowed_concurrently(count) == 50
