"""Whether what the service cannot do without answers, asked with a time limit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from newsletter.models import Edition

# A load balancer asks often and must not be kept waiting.
CHECK_TIMEOUT_SECONDS = 2.0


def check_dependencies() -> dict[str, bool]:
    """Each part's name, and whether it answered in time."""
    parts: dict[str, Callable[[], bool]] = {"database": is_database_up}
    if settings.REDIS_URL:
        parts["broker"] = is_broker_up
    pool = ThreadPoolExecutor(max_workers=len(parts))
    asked = {name: pool.submit(answers) for name, answers in parts.items()}
    wait(asked.values(), timeout=CHECK_TIMEOUT_SECONDS)
    # One that hangs is left to its own time limit.
    pool.shutdown(wait=False, cancel_futures=True)
    return {name: future.done() and future.result() for name, future in asked.items()}


def is_database_up() -> bool:
    """Whether our tables are there, over a connection of its own: one kept open may be stale."""
    try:
        Edition.objects.exists()
    except DatabaseError:
        return False
    finally:
        connection.close()
    return True


def is_broker_up() -> bool:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=CHECK_TIMEOUT_SECONDS,
            socket_connect_timeout=CHECK_TIMEOUT_SECONDS,
        ) as broker:
            return bool(broker.ping())
    except redis.RedisError:
        return False
