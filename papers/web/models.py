"""The one table of this package; papers/models.py imports it, so that Django finds it."""

from __future__ import annotations

from django.db import models


class RateLimitCounter(models.Model):
    """How often somebody asked within a window of time; written by papers/throttle.py only."""

    # Says nothing about who: their address is hashed with the secret key.
    key = models.CharField(max_length=128, primary_key=True)
    count = models.PositiveBigIntegerField()
    # In seconds since 1970, as the counting library has it.
    expires_at = models.FloatField(db_index=True)

    class Meta:
        db_table = "papers_hits"

    def __str__(self) -> str:
        return f"{self.count} calls"
