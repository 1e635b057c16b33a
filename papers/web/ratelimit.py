"""Rate limiting shared by all workers.

    ratelimit.hit("5/hour", "signup", network_prefix(get_client_ip(request))).allowed

The `limits` library counts in Redis if REDIS_URL is set, else in the table of RateLimitCounter.
Windows are fixed: the first call opens one, and it expires by itself. At most the limit's number of
calls is allowed per window, however many arrive at once.

Do not call `hit` inside a transaction: a rollback would undo the count, and until the commit all
other calls with the same key would wait for the row. Cost: one round trip to Redis, or two queries.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.utils.crypto import salted_hmac
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import RedisStorage, Storage
from redis.backoff import NoBackoff
from redis.retry import Retry

from papers.web.models import RateLimitCounter

logger = logging.getLogger(__name__)

# A page must not wait for a Redis that hangs: after one timeout, do not try again for a while.
REDIS_TIMEOUT_SECONDS, REDIS_RETRY_AFTER_SECONDS = 0.5, 10.0
# How often each process deletes expired rows, and how many at a time.
SWEEP_INTERVAL_SECONDS, SWEEP_BATCH_SIZE = 60.0, 1_000

# Storage URL to the time (seconds since the epoch) until which it is not tried again.
storage_down_until: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class RateLimitResult:
    """The decision about one call, and what is left of its window."""

    allowed: bool
    limit: int
    remaining: int
    window_seconds: int
    reset_after_seconds: int

    @property
    def retry_after_seconds(self) -> int:
        """Return the seconds to wait before the next try; 0 if the call is allowed."""
        return 0 if self.allowed else max(self.reset_after_seconds, 1)


def hit(
    rate: str, *key_parts: str, cost: int = 1, on_failure: Literal["allow", "refuse"] = "allow"
) -> RateLimitResult:
    """Count one call against a rate such as "5/hour", and return whether it is allowed.

    `key_parts` are a purpose and who is calling. They are stored only as a hash with the secret
    key. If the storage is unavailable, nothing is counted and `on_failure` decides.
    """
    item = parse(rate)
    url = storage_url()
    if storage_down_until.get(url, 0.0) <= time.time():
        try:
            return increment(item, storage_key(item, key_parts), cost)
        except StorageError as failure:
            storage_down_until[url] = time.time() + REDIS_RETRY_AFTER_SECONDS
            logger.error(
                "rate limits are not enforced, storage unavailable: %s",
                type(failure.storage_error).__name__,
            )
    allowed = on_failure == "allow"
    remaining = item.amount if allowed else 0
    return RateLimitResult(allowed, item.amount, remaining, item.get_expiry(), item.get_expiry())


def increment(item: RateLimitItem, key: str, cost: int) -> RateLimitResult:
    storage = get_storage(storage_url())
    count = storage.incr(key, item.get_expiry(), cost)
    expires_in = math.ceil(storage.get_expiry(key) - time.time())
    return RateLimitResult(
        allowed=count <= item.amount,
        limit=item.amount,
        remaining=max(item.amount - count, 0),
        window_seconds=item.get_expiry(),
        reset_after_seconds=max(min(expires_in, item.get_expiry()), 0),
    )


def storage_key(item: RateLimitItem, key_parts: tuple[str, ...]) -> str:
    # Prefix lengths, so that ("a", "bc") and ("ab", "c") differ. A part may hold lone surrogates,
    # which UTF-8 cannot encode.
    joined = "".join(f"{len(part)}:{part}" for part in key_parts)
    encoded = joined.encode(errors="backslashreplace")
    key_hash = salted_hmac("papers.throttle", encoded, algorithm="sha256").hexdigest()[:40]
    return item.key_for(key_hash)


def storage_url() -> str:
    return settings.REDIS_URL or "database://default"


def purge_expired(*, now: datetime) -> int:
    """Delete a batch of expired counters from the table and return how many; safe to repeat.

    Redis expires its keys by itself.
    """
    storage = get_storage("database://default")
    return storage.sweep(now.timestamp()) if isinstance(storage, DatabaseStorage) else 0


@cache
def get_storage(url: str) -> Storage:
    """Return the storage for a URL, once per process; it connects on first use."""
    if url.startswith("database:"):
        return DatabaseStorage(url, wrap_exceptions=True)
    options: dict[str, Any] = {
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        # Retry once, without a pause: a pooled connection may have died.
        "retry": Retry(NoBackoff(), 1),
    }
    url = url.replace("unix://", "redis+unix://")
    return RedisStorage(url, key_prefix="throttle", wrap_exceptions=True, **options)


class DatabaseStorage(Storage):
    """A storage of the `limits` library in a Django database; its URL is database://ALIAS."""

    STORAGE_SCHEME = ["database"]

    INCREMENT_SQL = """
        INSERT INTO papers_hits (key, count, expires_at) VALUES (%(key)s, %(amount)s, %(closes)s)
        ON CONFLICT (key) DO UPDATE SET
            count = CASE WHEN papers_hits.expires_at <= %(now)s THEN excluded.count
                ELSE papers_hits.count + excluded.count END,
            expires_at = CASE WHEN papers_hits.expires_at <= %(now)s THEN excluded.expires_at
                ELSE papers_hits.expires_at END
        RETURNING count
    """

    def __init__(self, uri: str, **options: bool) -> None:
        super().__init__(uri, **options)
        self.database_alias = urlsplit(uri).netloc
        self.swept_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        return DatabaseError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to the counter in one atomic statement and return the new count."""
        now = time.time()
        if now - self.swept_at >= SWEEP_INTERVAL_SECONDS:
            self.swept_at = now
            self.sweep(now)
        values: dict[str, str | float] = {
            "key": key,
            "amount": amount,
            "now": now,
            "closes": now + expiry,
        }
        with connections[self.database_alias].cursor() as cursor:
            cursor.execute(self.INCREMENT_SQL, values)
            return int(cursor.fetchone()[0])

    def sweep(self, now: float) -> int:
        """Delete a batch of expired rows, skipping rows that another process has locked."""
        counters = RateLimitCounter.objects.using(self.database_alias)
        with transaction.atomic(using=self.database_alias):
            expired = counters.filter(expires_at__lte=now).select_for_update(skip_locked=True)
            batch = list(expired.values_list("pk", flat=True)[:SWEEP_BATCH_SIZE])
            return counters.filter(pk__in=batch).delete()[0]

    def get(self, key: str) -> int:
        return self.current_window(key)[0]

    def get_expiry(self, key: str) -> float:
        return self.current_window(key)[1]

    def current_window(self, key: str) -> tuple[int, float]:
        now = time.time()
        rows = RateLimitCounter.objects.using(self.database_alias).filter(
            key=key, expires_at__gt=now
        )
        return rows.values_list("count", "expires_at").first() or (0, now)

    def check(self) -> bool:
        RateLimitCounter.objects.using(self.database_alias).exists()
        return True

    def reset(self) -> int:
        return RateLimitCounter.objects.using(self.database_alias).all().delete()[0]

    def clear(self, key: str) -> None:
        RateLimitCounter.objects.using(self.database_alias).filter(key=key).delete()
