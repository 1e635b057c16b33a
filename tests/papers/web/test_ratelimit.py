"""papers/web/ratelimit.py: on whichever counter there is, and on the database's own in any case."""

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
def nothing_is_away() -> Iterator[None]:
    ratelimit.storage_down_until.clear()
    yield
    ratelimit.storage_down_until.clear()
    ratelimit.get_storage.cache_clear()


@pytest.fixture
def in_the_database(settings: Any) -> Iterator[time_machine.Traveller]:
    """Counted in the table, on a clock that stands still."""
    settings.REDIS_URL = ""
    ratelimit.get_storage.cache_clear()
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def passed(limit: str, *who: str, times: int = 1) -> int:
    return sum(ratelimit.hit(limit, *who).allowed for _ in range(times))


def test_as_many_pass_as_the_limit_says_and_no_more() -> None:
    assert passed("3/hour", "a test", "203.0.113.1", times=5) == 3


def test_everybody_is_counted_apart_and_so_is_every_purpose_and_limit() -> None:
    for limit, *who in [
        ("1/hour", "signup", "ab"),
        ("1/hour", "signup", "a", "b"),
        ("1/hour", "signupa", "b"),
        ("1/minute", "signup", "ab"),
    ]:
        assert passed(limit, *who, times=2) == 1


def test_a_verdict_says_what_the_next_call_may_expect() -> None:
    first = ratelimit.hit("2/minute", "expectations")
    second = ratelimit.hit("2/minute", "expectations")
    third = ratelimit.hit("2/minute", "expectations")

    assert [each.allowed for each in (first, second, third)] == [True, True, False]
    assert [each.remaining for each in (first, second, third)] == [1, 0, 0]
    assert (first.limit, first.window_seconds, first.retry_after_seconds) == (2, 60, 0)
    assert 0 < third.retry_after_seconds == third.reset_after_seconds <= 60


def test_a_call_may_cost_more_than_one() -> None:
    assert ratelimit.hit("5/hour", "cost", cost=4).remaining == 1
    assert ratelimit.hit("5/hour", "cost", cost=2).allowed is False


@pytest.mark.usefixtures("in_the_database")
def test_a_window_closes_by_itself_and_the_next_opens_with_the_next_call(
    in_the_database: time_machine.Traveller,
) -> None:
    assert passed("2/minute", "a", times=3) == 2
    in_the_database.shift(timedelta(seconds=59))
    assert ratelimit.hit("2/minute", "a").retry_after_seconds == 1
    in_the_database.shift(timedelta(seconds=1))
    assert passed("2/minute", "a", times=3) == 2


@pytest.mark.usefixtures("in_the_database")
def test_nobody_s_address_is_kept() -> None:
    ratelimit.hit("2/minute", "signup", "ada@example.org", "203.0.113.1")

    (key,) = RateLimitCounter.objects.values_list("key", flat=True)
    assert not any(said in key for said in ("signup", "ada", "example", "203"))


@pytest.mark.usefixtures("in_the_database")
@pytest.mark.parametrize("who", ["", "\x00", "\ud800", "é" * 10_000, "%s/1;--"])
def test_whatever_somebody_calls_themselves_is_counted(who: str) -> None:
    assert passed("1/hour", "name", who, times=2) == 1


def test_windows_that_are_over_are_swept_away(
    in_the_database: time_machine.Traveller,
) -> None:
    for name in "abc":
        ratelimit.hit("2/minute", name)
    ratelimit.hit("2/hour", "still open")
    in_the_database.shift(timedelta(seconds=61))

    ratelimit.hit("2/minute", "d")

    assert RateLimitCounter.objects.count() == 2


@pytest.mark.usefixtures("in_the_database")
def test_a_call_costs_two_queries(django_assert_num_queries: Any) -> None:
    ratelimit.hit("9/minute", "a")

    with django_assert_num_queries(2):
        ratelimit.hit("9/minute", "b")


@pytest.fixture
def broken_redis(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


@pytest.mark.usefixtures("broken_redis")
def test_a_counter_that_is_away_is_no_error_and_the_caller_says_who_may_pass() -> None:
    reading = ratelimit.hit("2/minute", "api")
    signup = ratelimit.hit("2/minute", "signup", on_failure="refuse")

    assert (reading.allowed, reading.remaining, reading.retry_after_seconds) == (True, 2, 0)
    assert (signup.allowed, signup.remaining, signup.retry_after_seconds) == (False, 0, 60)


@pytest.mark.usefixtures("broken_redis")
def test_a_counter_that_is_away_is_logged_once_and_asked_again_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        passed("2/minute", "api", times=3)
        once = [each.getMessage() for each in caplog.records]
        clock.shift(ratelimit.REDIS_RETRY_AFTER_SECONDS)
        ratelimit.hit("2/minute", "api")

    assert once == ["calls are not counted: ConnectionError"]
    assert len(caplog.records) == 2


@pytest.mark.skipif(not configured.REDIS_URL, reason="needs a Redis: python -m tests.servers")
def test_redis_keeps_nobody_s_address_and_forgets_by_itself() -> None:
    ratelimit.hit("2/minute", "redis", "ada@example.org")

    with redis.Redis.from_url(configured.REDIS_URL) as client:
        keys = list(client.scan_iter("throttle:*"))
        assert keys
        assert not any(b"ada" in each or b"redis" in each for each in keys)
        assert all(0 < client.ttl(each) <= 3600 for each in keys)


def at_once(call: Callable[[], bool], *, threads: int = 8, times: int = 10) -> int:
    """How many pass if many ask at the same moment."""
    start = threading.Barrier(threads)
    verdicts: list[bool] = []

    def ask() -> None:
        try:
            start.wait()
            verdicts.extend([call() for _ in range(times)])
        finally:
            connections.close_all()

    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert len(verdicts) == threads * times
    return sum(verdicts)


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="its test database is in memory: see the next"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("counter", ["database", "as configured"])
def test_no_more_pass_when_many_ask_at_once(settings: Any, counter: str) -> None:
    settings.REDIS_URL = "" if counter == "database" else settings.REDIS_URL

    assert at_once(lambda: ratelimit.hit("50/hour", counter).allowed) == 50


def test_no_more_pass_at_once_in_an_sqlite_file(tmp_path: Path) -> None:
    statement = re.sub(r"%\((\w+)\)s", r":\1", ratelimit.DatabaseStorage.INCREMENT_SQL)
    values = {"key": "a", "amount": 1, "now": 0, "closes": 60}

    def count() -> bool:
        with closing(sqlite3.connect(tmp_path / "db.sqlite3", timeout=20)) as own, own:
            return bool(own.execute(statement, values).fetchone()[0] <= 50)

    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE papers_hits (key TEXT PRIMARY KEY, count INT, expires_at REAL)")

    assert at_once(count) == 50
