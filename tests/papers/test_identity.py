"""The arXiv id that every record is known by."""

from __future__ import annotations

import pytest

from papers.identity import arxiv_id


@pytest.mark.parametrize(
    "written",
    [
        "2605.01234",
        "2605.01234v2",
        " arXiv:2605.01234 ",
        "https://arxiv.org/abs/2605.01234",
        "https://arxiv.org/pdf/2605.01234v1.pdf",
        "http://export.arxiv.org/abs/2605.01234v3",
        "https://huggingface.co/papers/2605.01234?utm_source=x",
        "10.48550/arXiv.2605.01234",
        "https://doi.org/10.48550/arXiv.2605.01234",
        "oai:arXiv.org:2605.01234",
    ],
)
def test_an_id_is_the_same_however_it_is_written(written):
    assert arxiv_id(written) == "2605.01234"


@pytest.mark.parametrize(
    ("written", "known_as"),
    [
        ("0704.0001", "0704.0001"),
        ("hep-th/9901001v3", "hep-th/9901001"),
        ("https://arxiv.org/abs/cond-mat/9901001", "cond-mat/9901001"),
        ("math.GT/0309136", "math/0309136"),
    ],
)
def test_old_ids_are_ids(written, known_as):
    assert arxiv_id(written) == known_as


@pytest.mark.parametrize(
    "written",
    [
        "",
        "a paper",
        "2605.1",
        "2605.012345",
        "2613.01234",
        "12605.01234",
        "2607.models",
        "٢٦٠٥.٠١٢٣٤",
    ],
)
def test_what_is_no_id_is_none(written):
    assert arxiv_id(written) is None
