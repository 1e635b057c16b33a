"""The real model, where the extra is installed, and the errors where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from papers.search import encoder

needs_extra = pytest.mark.skipif(
    not encoder.is_installed(), reason="the extra `semantic` is not installed"
)


@needs_extra
def test_texts_on_one_subject_are_nearer_than_others():
    robot, arm, prices = encoder.encode_batch(
        ["A robot learns to grasp.", "Teaching arms to pick things up", "Prices of electricity"]
    )

    assert robot @ arm > robot @ prices + 0.2


@needs_extra
@pytest.mark.parametrize(
    "text",
    ["", "word", "word " * 3_000, "\x00 \ud800 日本"],
    ids=["empty", "word", "long", "unprintable"],
)
def test_any_text_has_a_vector_of_unit_length(text):
    assert np.linalg.norm(encoder.encode(text)) == pytest.approx(1, abs=1e-5)


@needs_extra
def test_an_empty_batch_has_no_rows():
    assert encoder.encode_batch([]).shape == (0, encoder.DIMENSIONS)


@needs_extra
def test_a_model_with_another_checksum_is_refused(monkeypatch):
    monkeypatch.setattr(encoder, "MODEL_SHA256", "0" * 64)
    encoder.load_model.cache_clear()

    with pytest.raises(encoder.EncoderUnavailableError, match="is not the model"):
        encoder.load_model()


def test_without_the_extra_the_error_names_what_to_install(monkeypatch):
    monkeypatch.setattr(encoder, "is_installed", lambda: False)
    encoder.load_model.cache_clear()

    with pytest.raises(encoder.EncoderUnavailableError, match="pip install onnxruntime"):
        encoder.load_model()
