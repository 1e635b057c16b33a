"""A stand-in for the language model: texts that share words are near. Nothing to install."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from papers.search import embeddings, encoder
from papers.text.tokens import words


def vector(text: str) -> NDArray[np.float32]:
    found = np.full(encoder.SIZE, 1e-3, dtype=np.float32)
    for word in words(text):
        found[crc32(word.encode()) % encoder.SIZE] += 1
    return found / np.linalg.norm(found)


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were installed; and what other tests have loaded is forgotten."""
    monkeypatch.setattr(encoder, "is_installed", lambda: True)
    monkeypatch.setattr(encoder, "vector", vector)
    monkeypatch.setattr(embeddings, "space", embeddings.Space())
