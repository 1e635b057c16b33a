"""Recency windows: PostgreSQL searches the newest papers first and stops when it has enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from django.core.cache import cache

from papers.models import Paper
from papers.search import index_terms

# Numbers of newest papers. The first is skipped to find today's papers, because a few papers carry a
# wrong date in the future; each of the others reaches back to the start of one window.
WINDOW_SIZES = (50, 5_000, 15_000, 50_000, 150_000)
CACHE_KEY = "papers.search.windows"
CACHE_TTL_SECONDS = 600


class SearchWindow(NamedTuple):
    """The days that one part of a search looks at: some date buckets, or all but some days."""

    # Empty: every day that is not skipped.
    date_buckets: tuple[str, ...] = ()
    skipped_days: range = range(0)


def search_windows(since: date | None) -> Iterator[SearchWindow]:
    """Yield the windows from the newest on; together they cover every day from `since` on."""
    first_day = (since or date.min).toordinal()
    windows = cached_windows()
    clipped = [
        range(max(window.start, index_terms.week_start(first_day)), window.stop)
        for window in windows
    ]
    recent = [window for window in clipped if window]
    for window in recent:
        yield SearchWindow(tuple(index_terms.covering_buckets(window.start, window.stop)))
    if not recent:
        yield SearchWindow()
    elif first_day < windows[-1].start:
        yield SearchWindow(skipped_days=range(windows[-1].start, windows[0].stop))


def cached_windows() -> list[range]:
    """Return the windows as ordinal days; up to ten minutes old, which costs only speed.

    Outdated windows leave no paper out: the last search window covers all other days.
    """
    return cache.get_or_set(CACHE_KEY, compute_windows, timeout=CACHE_TTL_SECONDS) or []


def clear_cache() -> None:
    """Forget the cached windows; the next search computes them, in one query per window size."""
    cache.delete(CACHE_KEY)


def compute_windows() -> list[range]:
    """Return the windows, newest first; an empty list if the first would hold every paper."""
    newest_first = Paper.objects.order_by("-sort_date").values_list("sort_date", flat=True)
    edges = [day.toordinal() for size in WINDOW_SIZES for day in newest_first[size : size + 1]]
    return index_terms.recency_windows(edges[0], edges[1:]) if edges else []
