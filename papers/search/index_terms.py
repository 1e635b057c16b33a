"""Words that no text has, by which an index finds at once what would take reading (pure).

A topic, a category, an author's name, two words that adjoin, some days: each is one word more in a
paper's row, so that to look for it is to look for a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

# Days that stand together, from the year 1 on: each of these lies within one of the next.
BUCKET_DAYS = (7, 28, 112)
# Papers of so many days may have come since somebody looked which are the newest.
FUTURE_SLACK_DAYS = 3 * BUCKET_DAYS[1]


def author_term(token: str) -> str:
    return f"inauthor{token}"


def topic_term(tokens: Sequence[str]) -> str:
    return f"intopic{''.join(tokens)}"


def topic_terms(names: Iterable[Sequence[str]]) -> Iterator[str]:
    """For each part of a name too: one looks for topic:language."""
    for name in names:
        for start in range(len(name)):
            for end in range(start + 1, len(name) + 1):
                yield topic_term(name[start:end])


def bigrams(tokens: Sequence[str]) -> Iterator[str]:
    """With a sign that no word has: so none is taken for another."""
    return map("_".join, pairwise(tokens))


def date_terms(day: date) -> Iterator[str]:
    for span in BUCKET_DAYS:
        yield date_bucket(span, day.toordinal() // span)


def date_bucket(bucket_days: int, bucket_number: int) -> str:
    return f"in{bucket_days}days{bucket_number}"


def covering_buckets(start: int, end: int) -> Iterator[str]:
    """The fewest stretches for the days from one number to before another; both begin a week."""
    while start < end:
        span = max(each for each in BUCKET_DAYS if start % each == 0 and start + each <= end)
        yield date_bucket(span, start // span)
        start += span


def week_start(ordinal_day: int) -> int:
    """The first day of the week of this one."""
    return ordinal_day - ordinal_day % BUCKET_DAYS[0]


def recency_windows(newest: int, edges: Iterable[int]) -> list[range]:
    """Days to look through one window after the other, the newest first, until each edge or before.

    The older an edge, the longer the stretch it is moved to, so that few keys make up a window.
    """
    found: list[range] = []
    end = newest - newest % BUCKET_DAYS[1] + FUTURE_SLACK_DAYS
    for edge in edges:
        span = next(
            (each for each in reversed(BUCKET_DAYS) if 3 * each < newest - edge), BUCKET_DAYS[0]
        )
        start = edge - edge % span
        if start < end:
            found.append(range(start, end))
            end = start
    return found
