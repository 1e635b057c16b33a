"""Whether what the service cannot do without answers, asked with a time limit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from newsletter.models import Edition

# A load balancer asks often and must not be kept waiting.
SECONDS = 2.0


def check() -> dict[str, bool]:
    """Each part's name, and whether it answered in time."""
    parts: dict[str, Callable[[], bool]] = {"database": database_answers}
    if settings.REDIS_URL:
        parts["broker"] = broker_answers
    pool = ThreadPoolExecutor(max_workers=len(parts))
    asked = {name: pool.submit(answers) for name, answers in parts.items()}
    wait(asked.values(), timeout=SECONDS)
    # One that hangs is left to its own time limit.
    pool.shutdown(wait=False, cancel_futures=True)
    return {name: future.done() and future.result() for name, future in asked.items()}


def database_answers() -> bool:
    """Whether our tables are there, over a connection of its own: one kept open may be stale."""
    try:
        Edition.objects.exists()
    except DatabaseError:
        return False
    finally:
        connection.close()
    return True


def broker_answers() -> bool:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
        ) as broker:
            return bool(broker.ping())
    except redis.RedisError:
        return False
