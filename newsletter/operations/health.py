"""Check with a timeout whether the database and the broker respond."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from newsletter.models import Edition

# A load balancer calls often, and must not wait longer.
CHECK_TIMEOUT_SECONDS = 2.0


def check_dependencies() -> dict[str, bool]:
    """Return for each dependency whether it responded in time."""
    checks: dict[str, Callable[[], bool]] = {"database": is_database_up}
    if settings.REDIS_URL:
        checks["broker"] = is_broker_up
    pool = ThreadPoolExecutor(max_workers=len(checks))
    futures = {name: pool.submit(check) for name, check in checks.items()}
    wait(futures.values(), timeout=CHECK_TIMEOUT_SECONDS)
    # A check that hangs ends by its own timeout.
    pool.shutdown(wait=False, cancel_futures=True)
    return {name: future.done() and future.result() for name, future in futures.items()}


def is_database_up() -> bool:
    """Return whether a query works, over a new connection: a kept one may be stale."""
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
