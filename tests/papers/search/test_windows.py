"""Windows are computed from the stored papers, cached, and cleared on request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from papers.search import index_terms, windows
from papers.search.windows import SearchWindow
from tests import factories
from tests.factories import TODAY


@pytest.fixture(autouse=True)
def clear_windows() -> Iterator[None]:
    windows.clear_cache()
    yield
    windows.clear_cache()


@pytest.mark.django_db
def test_windows_are_computed_once_and_again_after_the_cache_is_cleared(
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(len(windows.WINDOW_SIZES)):
        windows.cached_windows()
    with django_assert_num_queries(0):
        windows.cached_windows()

    windows.clear_cache()
    with django_assert_num_queries(len(windows.WINDOW_SIZES)):
        windows.cached_windows()


@pytest.mark.django_db
def test_without_windows_one_search_window_covers_every_day() -> None:
    assert list(windows.search_windows(None)) == [SearchWindow()]


@pytest.mark.django_db
def test_search_windows_cover_each_day_from_since_on_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for weeks in range(40):
        factories.paper(listed_on=TODAY - timedelta(weeks=weeks))
    monkeypatch.setattr(windows, "WINDOW_SIZES", (0, 3, 20))

    for since in (None, TODAY - timedelta(weeks=30), TODAY - timedelta(weeks=2), TODAY):
        search_windows = list(windows.search_windows(since))
        for weeks in range(-1, 40):
            day = TODAY - timedelta(weeks=weeks)
            if day >= (since or date.min):
                assert sum(covers(window, day) for window in search_windows) == 1, (since, day)


def covers(window: SearchWindow, day: date) -> bool:
    buckets = set(window.date_buckets)
    if buckets and not buckets & set(index_terms.date_terms(day)):
        return False
    return day.toordinal() not in window.skipped_days
