"""newsletter/operations/health.py"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from newsletter.operations import health

# The checks use connections of their own, which do not see what a test has not committed.
pytestmark = pytest.mark.django_db(transaction=True)


def test_without_a_broker_only_the_database_is_checked(settings: Any) -> None:
    settings.REDIS_URL = ""

    assert health.check_dependencies() == {"database": True}


def test_an_unreachable_broker_is_reported(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert health.check_dependencies() == {"database": True, "broker": False}


def test_a_broker_that_does_not_respond_is_given_up_after_the_timeout(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "CHECK_TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        start = time.monotonic()

        assert health.check_dependencies() == {"database": True, "broker": False}
        assert time.monotonic() - start < 5


def test_a_check_that_hangs_counts_as_failed(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = ""
    released = threading.Event()
    monkeypatch.setattr(health, "CHECK_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(health, "is_database_up", released.wait)

    assert health.check_dependencies() == {"database": False}
    released.set()
