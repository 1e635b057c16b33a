"""The identifiers of a paper, in the ways that people and sources write them."""

from __future__ import annotations

import pytest

from papers.identity import parse_arxiv_id, parse_doi, title_key


@pytest.mark.parametrize(
    "text",
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
def test_every_form_of_an_arxiv_id_is_parsed(text):
    assert parse_arxiv_id(text) == "2605.01234"


@pytest.mark.parametrize(
    ("text", "arxiv_id"),
    [
        ("0704.0001", "0704.0001"),
        ("hep-th/9901001v3", "hep-th/9901001"),
        ("https://arxiv.org/abs/cond-mat/9901001", "cond-mat/9901001"),
        ("math.GT/0309136", "math/0309136"),
    ],
)
def test_old_arxiv_ids_are_parsed(text, arxiv_id):
    assert parse_arxiv_id(text) == arxiv_id


@pytest.mark.parametrize(
    "text",
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
def test_other_text_is_not_an_arxiv_id(text):
    assert parse_arxiv_id(text) is None


@pytest.mark.parametrize(
    ("text", "doi"),
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
def test_every_form_of_a_doi_is_parsed(text, doi):
    assert parse_doi(text) == doi


@pytest.mark.parametrize(
    ("title", "variant"),
    [
        ("Self-Attention: All You Need", "self attention all you need"),
        ("L²NAS for Erdős Graphs", "l2nas for erdos graphs"),
        ("  A   title.\n", "A title"),
        ("深度学习", "深度学习"),
    ],
)
def test_case_accents_and_punctuation_do_not_change_a_title_key(title, variant):
    assert title_key(title) == title_key(variant)


@pytest.mark.parametrize(
    ("title", "similar_title"),
    [
        ("Qwen2 Technical Report", "Qwen2.5 Technical Report"),
        ("深度学习", "机器学习"),
        ("Part I", "Part II"),
        ("A+B", "AB"),
    ],
)
def test_similar_titles_have_different_keys(title, similar_title):
    assert title_key(title) != title_key(similar_title)
