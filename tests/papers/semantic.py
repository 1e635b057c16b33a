"""A fake encoder without the language model: texts that share words are near each other."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from papers.search import embeddings, encoder
from papers.text.tokens import tokenize


def fake_encode(text: str) -> NDArray[np.float32]:
    vector = np.full(encoder.DIMENSIONS, 1e-3, dtype=np.float32)
    for token in tokenize(text):
        vector[crc32(token.encode()) % encoder.DIMENSIONS] += 1
    unit_vector: NDArray[np.float32] = vector / np.linalg.norm(vector)
    return unit_vector


def install_fake_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that the extra is installed, with an empty index in memory."""
    monkeypatch.setattr(encoder, "is_installed", lambda: True)
    monkeypatch.setattr(encoder, "encode", fake_encode)
    monkeypatch.setattr(embeddings, "index", embeddings.EmbeddingIndex())
