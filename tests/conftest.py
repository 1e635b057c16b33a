"""Fixtures and collection rules shared by all tests.

Two legs run the suite: SQLite without a broker, and PostgreSQL with Valkey. On the SQLite leg only
run the tests that touch no database, those of pages, mails and forms, and those in a browser; a
test marked `services` runs on both. Tests marked `slow` run only with `--slow`. pytest-socket, set
up in pyproject.toml, blocks the network.
"""

import os
import re
import sqlite3
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from hypothesis import settings as hypothesis_settings

from newsletter import celery_app
from papers.web import ratelimit
from tests.browser import browser, open_tab

__all__ = ["browser", "open_tab"]  # fixtures of every test

# The time of one example depends on the machine, so no deadline. `.ci/run` uses the thorough one.
hypothesis_settings.register_profile("quick", max_examples=20, deadline=None)
hypothesis_settings.register_profile("thorough", max_examples=100, deadline=None)
hypothesis_settings.load_profile("quick")

LEFT_OUT = pytest.StashKey[int]()
# Tests of what only translates: pages, mails, forms and commands have no SQL of their own, and what
# they call is tested on both legs.
SQLITE_ONLY = re.compile(
    r"""tests/
    ( (newsletter|papers|subscribers)/ (.*/)? test_(admin|commands|feeds|fields|form|forms|views) \.py
    | (newsletter|subscribers)/ (digest|leaving|mail|preferences|privacy) /
    | newsletter/ (api|delivery/providers|operations) /
    | newsletter/delivery/test_mailbox | newsletter/events/test_inbound | newsletter/test_webhooks
    | papers/ (api|imports|sources) /
    | project/ | test_(erasure|link_prefetching|suppression_end_to_end)
    )""",
    re.VERBOSE,
)
ON_SQLITE = settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="Also run the tests marked slow.")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.slow:  # one slow test uses it, and every run would pay for it
        config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what the other leg runs, and the slow tests unless they are asked for."""
    selected, elsewhere, slow = [], [], []
    for item in items:
        uses_browser = "open_tab" in fixtures(item)
        if uses_browser:
            item.add_marker("slow")
        if not ON_SQLITE and (uses_browser or not uses_services(item)):
            elsewhere.append(item)
        elif item.get_closest_marker("slow") and not config.option.slow:
            slow.append(item)
        else:
            selected.append(item)
    items[:] = selected
    config.stash[LEFT_OUT] = len(slow)
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    (settings.DATA_DIR / "slow-left-out").write_text(f"{len(slow)}\n")
    config.hook.pytest_deselected(items=[*elsewhere, *slow])


def uses_services(item: pytest.Item) -> bool:
    """Return whether a test depends on the database or the broker, in which the two legs differ."""
    if item.get_closest_marker("services"):
        return True
    if SQLITE_ONLY.match(item.nodeid):
        return False
    uses_database = item.get_closest_marker("django_db") or "db" in fixtures(item)
    return bool(uses_database) or "transactional_db" in fixtures(item)


def fixtures(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{left_out} slow tests left out: add --slow to run them.")
    terminalreporter.write_line(f"Ran on {describe_database()}{describe_broker()}")


def describe_database() -> str:
    """Return the name and version that the server itself reports."""
    if ON_SQLITE:
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
    """Run tasks in process, so that their effects are visible when the call returns.

    tests/test_service.py starts real workers.
    """
    celery_app.conf.update(task_always_eager=True)


@pytest.fixture(autouse=True)
def disable_sources(settings: Any) -> None:
    """Fetch from no source unless a test names one, and a server on this machine for it."""
    settings.SOURCES = []


@pytest.fixture(autouse=True)
def clear_shared_state() -> None:
    """Clear what no transaction rolls back: Django's cache, and the rate limits in Valkey."""
    cache.clear()
    if settings.REDIS_URL:
        ratelimit.get_storage(settings.REDIS_URL).reset()
