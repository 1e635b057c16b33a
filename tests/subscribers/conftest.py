"""What the tests of subscribers share."""

from __future__ import annotations

import pytest

from subscribers.signup import proof_of_work


@pytest.fixture
def light_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof as always, of next to no work."""
    monkeypatch.setattr(proof_of_work, "ROUNDS", 1)
    monkeypatch.setattr(proof_of_work, "FEWEST", 1)
    monkeypatch.setattr(proof_of_work, "MOST", 3)
