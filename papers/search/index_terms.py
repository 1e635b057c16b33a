"""Synthetic index terms: topic, author, bigram and date bucket as one word each (pure).

They are stored beside a paper's words, so that each of these conditions is one GIN look-up and
PostgreSQL does not have to read the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

# Buckets of days, counted from year 1. Each size divides the next, so every bucket lies within one
# of the next size.
BUCKET_DAYS = (7, 28, 112)
# Windows are cached and some papers carry a future date: the newest window reaches this far ahead.
FUTURE_SLACK_DAYS = 3 * BUCKET_DAYS[1]


def author_term(token: str) -> str:
    return f"inauthor{token}"


def topic_term(tokens: Sequence[str]) -> str:
    return f"intopic{''.join(tokens)}"


def topic_terms(names: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a term for each run of words in each name, so that topic:language finds its topics."""
    for name in names:
        for start in range(len(name)):
            for end in range(start + 1, len(name) + 1):
                yield topic_term(name[start:end])


def bigrams(tokens: Sequence[str]) -> Iterator[str]:
    """Join adjacent tokens with `_`, which no token contains."""
    return map("_".join, pairwise(tokens))


def date_terms(day: date) -> Iterator[str]:
    """Yield the bucket of each size that contains the day."""
    for bucket_days in BUCKET_DAYS:
        yield date_bucket(bucket_days, day.toordinal() // bucket_days)


def date_bucket(bucket_days: int, bucket_number: int) -> str:
    return f"in{bucket_days}days{bucket_number}"


def covering_buckets(start: int, end: int) -> Iterator[str]:
    """Yield the fewest buckets that cover the ordinal days from start to before end.

    Both have to be the first day of a week.
    """
    while start < end:
        bucket_days = max(days for days in BUCKET_DAYS if start % days == 0 and start + days <= end)
        yield date_bucket(bucket_days, start // bucket_days)
        start += bucket_days


def week_start(ordinal_day: int) -> int:
    """Return the first day of the week that contains this one."""
    return ordinal_day - ordinal_day % BUCKET_DAYS[0]


def recency_windows(newest: int, edges: Iterable[int]) -> list[range]:
    """Return adjacent ranges of ordinal days, newest first, that reach each edge or go beyond it.

    An edge is moved back to where a bucket starts: the older the edge, the larger the bucket, so
    that few buckets cover a window.
    """
    windows: list[range] = []
    end = newest - newest % BUCKET_DAYS[1] + FUTURE_SLACK_DAYS
    for edge in edges:
        bucket_days = next(
            (days for days in reversed(BUCKET_DAYS) if 3 * days < newest - edge), BUCKET_DAYS[0]
        )
        start = edge - edge % bucket_days
        if start < end:
            windows.append(range(start, end))
            end = start
    return windows
