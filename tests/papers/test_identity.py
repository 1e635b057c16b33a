"""By what a paper is known."""

from __future__ import annotations

import pytest

from papers.identity import parse_arxiv_id, parse_doi, title_key


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
        "arXiv:2605.01234 [cs.LG]",
        "arXiv: 2605.01234",
        "https://arxiv.org/e-print/2605.01234",
        "https://arxiv.org//abs/2605.01234",
        "https://browse.arxiv.org/abs/2605.01234",
        "https://ar5iv.labs.arxiv.org/html/2605.01234",
        "https://www.alphaxiv.org/overview/2605.01234",
        "https://doi.org/10.48550%2FarXiv.2605.01234",
        "2605.01234,",
    ],
)
def test_an_id_is_the_same_however_it_is_written(written):
    assert parse_arxiv_id(written) == "2605.01234"


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
    assert parse_arxiv_id(written) == known_as


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
    assert parse_arxiv_id(written) is None


@pytest.mark.parametrize(
    ("written", "known_as"),
    [
        ("10.1145/3292500.3330701", "10.1145/3292500.3330701"),
        ("https://doi.org/10.1038/S41586-020-2649-2", "10.1038/s41586-020-2649-2"),
        ("doi: 10.1000/Xyz.", "10.1000/xyz"),
        ("http://dx.doi.org/10.1000/(SICI)1-2:3", "10.1000/(sici)1-2:3"),
        ("doi.org/10.1000/abc", "10.1000/abc"),
        ("DOI 10.1000/abc", "10.1000/abc"),
        ("https://doi.org/10.1000/ABC%2Fd", "10.1000/abc/d"),
        ("10.1000/abc\u200b", "10.1000/abc"),
        ("10.1/too-short", ""),
        ("https://example.org/10.1000/x", ""),
        ("10.1000/with space", ""),
        ("", ""),
    ],
)
def test_a_doi_is_the_same_however_it_is_written(written, known_as):
    assert parse_doi(written) == known_as


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Self-Attention: All You Need", "self attention all you need"),
        ("L²NAS for Erdős Graphs", "l2nas for erdos graphs"),
        ("  A   title.\n", "A title"),
        ("深度学习", "深度学习"),
    ],
)
def test_a_title_is_the_same_in_other_letters(one, other):
    assert title_key(one) == title_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Qwen2 Technical Report", "Qwen2.5 Technical Report"),
        ("深度学习", "机器学习"),
        ("Part I", "Part II"),
        ("A+B", "AB"),
    ],
)
def test_titles_that_only_look_alike_are_two(one, other):
    assert title_key(one) != title_key(other)
