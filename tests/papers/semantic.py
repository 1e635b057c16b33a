"""A stand-in for the language model: texts that share words are near. Nothing to install."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from papers.search import embeddings, encoder
from papers.text.tokens import tokenize


def fake_encode(text: str) -> NDArray[np.float32]:
    found = np.full(encoder.DIMENSIONS, 1e-3, dtype=np.float32)
    for word in tokenize(text):
        found[crc32(word.encode()) % encoder.DIMENSIONS] += 1
    return found / np.linalg.norm(found)


def install_fake_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were installed; and what other tests have loaded is forgotten."""
    monkeypatch.setattr(encoder, "is_installed", lambda: True)
    monkeypatch.setattr(encoder, "encode", fake_encode)
    monkeypatch.setattr(embeddings, "index", embeddings.EmbeddingIndex())
