"""What the tests of subscribers share."""

from __future__ import annotations

import pytest

from subscribers import work


@pytest.fixture
def light_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof as always, of next to no work."""
    monkeypatch.setattr(work, "ROUNDS", 1)
    monkeypatch.setattr(work, "FEWEST", 1)
    monkeypatch.setattr(work, "MOST", 3)
