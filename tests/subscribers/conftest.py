"""Fixtures for the tests of subscribers."""

from __future__ import annotations

import pytest

from subscribers.signup import proof_of_work


@pytest.fixture
def cheap_proof_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make proofs of work valid but nearly free."""
    monkeypatch.setattr(proof_of_work, "PBKDF2_ITERATIONS", 1)
    monkeypatch.setattr(proof_of_work, "MIN_COUNTER", 1)
    monkeypatch.setattr(proof_of_work, "MAX_COUNTER", 3)
