"""The table of the rate limiter; papers/models.py imports it so that Django registers it."""

from __future__ import annotations

from django.db import models


class RateLimitCounter(models.Model):
    """The number of calls in one time window; written only by papers/web/ratelimit.py."""

    # Holds no personal data: names and addresses are hashed with the secret key.
    key = models.CharField(max_length=128, primary_key=True)
    count = models.PositiveBigIntegerField()
    # Seconds since the epoch, as the `limits` library expects.
    expires_at = models.FloatField(db_index=True)

    class Meta:
        db_table = "papers_hits"

    def __str__(self) -> str:
        return f"{self.count} calls"
