"""What all tests share. (No network: pytest-socket, set up in pyproject.toml.)"""

import os
import sqlite3
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from hypothesis import settings as hypothesis_settings

from newsletter import celery_app
from papers.web import ratelimit
from tests.browser import browser, open_tab

__all__ = ["browser", "open_tab"]  # fixtures of every test

# How long an example takes says something about this machine, nothing about the code.
hypothesis_settings.register_profile("ours", deadline=None)
hypothesis_settings.load_profile("ours")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"Ran on {describe_database()}{describe_broker()}")


def describe_database() -> str:
    """As the server itself says, so nobody takes one leg of the tests for the other."""
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        return f"SQLite {sqlite3.sqlite_version}"
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return f"PostgreSQL {connection.info.parameter_status('server_version')}"


def describe_broker() -> str:
    if not settings.REDIS_URL:
        return ", tasks run in process"
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        info = client.info("server")
    name = "Valkey" if "valkey_version" in info else "Redis"
    return f" with {name} {info.get('valkey_version') or info['redis_version']}"


@pytest.fixture(autouse=True, scope="session")
def eager_celery() -> None:
    """Also where there is a broker: what a task does is seen when the call returns.

    (tests/test_service.py starts real workers.)
    """
    celery_app.conf.update(task_always_eager=True)


@pytest.fixture(autouse=True)
def disable_sources(settings: Any) -> None:
    """Unless a test says which, and where on this machine it answers."""
    settings.SOURCES = []


@pytest.fixture(autouse=True)
def reset_rate_limits() -> None:
    """What Redis has counted in one test is not rolled back with it."""
    if settings.REDIS_URL:
        ratelimit.get_storage(settings.REDIS_URL).reset()
