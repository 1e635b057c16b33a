"""How often somebody may ask, counted once for all workers.

    throttle.allow("5/hour", "signup", prefix_of(client_ip(request))).allowed

Counted by the `limits` library: in Redis where there is one, else in a small table. A window opens
with the first call and closes by itself. Call it outside a transaction: what is rolled back was not
counted, and others would wait for the row.
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

# A page must not wait for a Redis that hangs: this long once, then not at all for a while.
REDIS_TIMEOUT_SECONDS, REDIS_RETRY_AFTER_SECONDS = 0.5, 10.0
# How often each process looks for rows that count nothing any more, and how many it takes away.
SWEEP_INTERVAL_SECONDS, SWEEP_BATCH_SIZE = 60.0, 1_000

# Until when the counter is taken to be away, by its address; logged when it goes.
storage_down_until: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class RateLimitResult:
    """Whether this call may pass, and what the next ones may expect."""

    allowed: bool
    limit: int
    remaining: int
    # Seconds of the whole window, and until it closes: then counting begins anew.
    window_seconds: int
    reset_after_seconds: int

    @property
    def retry_after_seconds(self) -> int:
        """Seconds to wait; none if it is allowed."""
        return 0 if self.allowed else max(self.reset_after_seconds, 1)


def hit(
    rate: str, *key_parts: str, cost: int = 1, on_failure: Literal["allow", "refuse"] = "allow"
) -> RateLimitResult:
    """Count a call of somebody's: `limit` is as "5/hour", `who` a purpose and whom it is about.

    Of calls at the same moment never more than the limit pass. Nobody's name or address is kept:
    `who` is hashed with the secret key. If the counter is away, `on_failure` says what is safer.
    """
    item = parse(rate)
    url = storage_url()
    if storage_down_until.get(url, 0.0) <= time.time():
        try:
            return increment(item, storage_key(item, key_parts), cost)
        except StorageError as failure:
            storage_down_until[url] = time.time() + REDIS_RETRY_AFTER_SECONDS
            logger.error("calls are not counted: %s", type(failure.storage_error).__name__)
    allowed = on_failure == "allow"
    remaining = item.amount if allowed else 0
    return RateLimitResult(allowed, item.amount, remaining, item.get_expiry(), item.get_expiry())


def increment(item: RateLimitItem, key: str, cost: int) -> RateLimitResult:
    counter = get_storage(storage_url())
    count = counter.incr(key, item.get_expiry(), cost)
    closes_in = math.ceil(counter.get_expiry(key) - time.time())
    return RateLimitResult(
        allowed=count <= item.amount,
        limit=item.amount,
        remaining=max(item.amount - count, 0),
        window_seconds=item.get_expiry(),
        reset_after_seconds=max(min(closes_in, item.get_expiry()), 0),
    )


def storage_key(item: RateLimitItem, key_parts: tuple[str, ...]) -> str:
    # Lengths, so that ("a", "bc") is not ("ab", "c"). A name may hold what UTF-8 cannot say.
    said = "".join(f"{len(each)}:{each}" for each in key_parts).encode(errors="backslashreplace")
    name = salted_hmac("papers.throttle", said, algorithm="sha256").hexdigest()[:40]
    return item.key_for(name)


def storage_url() -> str:
    return settings.REDIS_URL or "database://default"


def purge_expired(*, now: datetime) -> int:
    """Take away the counts of windows that have closed; where Redis counts it does so by itself."""
    counter = get_storage("database://default")
    return counter.sweep(now.timestamp()) if isinstance(counter, DatabaseStorage) else 0


@cache
def get_storage(url: str) -> Storage:
    """The counter at an address; it connects when it is first asked."""
    if url.startswith("database:"):
        return DatabaseStorage(url, wrap_exceptions=True)
    options: dict[str, Any] = {
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        # Again at once where a kept connection has died, and no waiting in between.
        "retry": Retry(NoBackoff(), 1),
    }
    url = url.replace("unix://", "redis+unix://")
    return RedisStorage(url, key_prefix="throttle", wrap_exceptions=True, **options)


class DatabaseStorage(Storage):
    """The library's counter in our own database: database://ALIAS."""

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
        """Count in one statement: two that come at once are counted one after the other."""
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
        """Take away what has expired, except what another process has hold of."""
        hits = RateLimitCounter.objects.using(self.database_alias)
        with transaction.atomic(using=self.database_alias):
            old = hits.filter(expires_at__lte=now).select_for_update(skip_locked=True)
            page = list(old.values_list("pk", flat=True)[:SWEEP_BATCH_SIZE])
            return hits.filter(pk__in=page).delete()[0]

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
