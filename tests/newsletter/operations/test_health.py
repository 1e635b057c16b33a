from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from newsletter.operations import health

# On a connection of its own: what a test has not committed is not there.
pytestmark = pytest.mark.django_db(transaction=True)


def test_the_database_alone_is_asked_where_there_is_no_broker(settings: Any) -> None:
    settings.REDIS_URL = ""

    assert health.check_dependencies() == {"database": True}


def test_a_broker_that_is_away_is_told(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert health.check_dependencies() == {"database": True, "broker": False}


def test_a_broker_that_never_answers_is_not_waited_for(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        before = time.monotonic()

        assert health.check_dependencies() == {"database": True, "broker": False}
        assert time.monotonic() - before < health.CHECK_TIMEOUT_SECONDS + 1


def test_a_part_that_hangs_counts_as_away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDIS_URL = ""
    released = threading.Event()
    monkeypatch.setattr(health, "CHECK_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(health, "is_database_up", released.wait)

    assert health.check_dependencies() == {"database": False}
    released.set()
