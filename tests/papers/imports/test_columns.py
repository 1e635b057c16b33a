"""The names that people give to the columns of a paper."""

from __future__ import annotations

from datetime import date

import pytest

from papers.imports import columns
from papers.sources import Record
from papers.sources.json_values import RejectedItemError


def test_a_column_may_have_any_of_its_names():
    assert columns.build_record(
        {
            "Paper Title": " A Comet ",
            "Abstract Note": "It shines.",
            "Author Names": "Ada Lovelace; Hopper, Grace",
            "Publication-Date": "2026-05-12",
            "URL": "https://arxiv.org/abs/2605.00001v2",
            "DOI": "https://doi.org/10.1000/ABC",
            "Manual Tags": "comets; light, dark",
            "Category": "Robotics (cs.RO); Machine Learning (stat.ML)",
            "GitHub URL": "https://github.com/ada/comet/tree/main",
            "Homepage": "https://comet.example.org",
            "Unknown": "x",
        }
    ) == Record(
        arxiv_id="2605.00001",
        doi="10.1000/abc",
        title="A Comet",
        abstract="It shines.",
        authors=("Ada Lovelace", "Grace Hopper"),
        published_on=date(2026, 5, 12),
        categories=("cs.RO", "stat.ML"),
        keywords=("comets", "light, dark"),
        code_url="https://github.com/ada/comet",
        project_url="https://comet.example.org",
    )


def test_a_paper_wrapped_in_another_object_is_unwrapped():
    hugging_face = {
        "paper": {"id": "2605.00001", "title": "A", "ai_summary": "It is."},
        "title": "B",
    }
    semantic_scholar = {"title": "A", "externalIds": {"ArXiv": "2605.00001", "DOI": "10.1/x"}}

    record = columns.build_record(hugging_face)

    assert (record.arxiv_id, record.title, record.machine_summary) == ("2605.00001", "A", "It is.")
    assert columns.build_record(semantic_scholar).arxiv_id == "2605.00001"
    assert (
        columns.build_record({"title": "A", "tldr": {"text": "Short."}}).machine_summary == "Short."
    )


@pytest.mark.parametrize("row", [{}, {"title": ""}, {"title": 3}, {"abstract": "x"}, {"": "x"}])
def test_a_row_without_a_title_is_rejected(row):
    with pytest.raises(RejectedItemError, match="no title"):
        columns.build_record(row)


@pytest.mark.parametrize("identifier", ["arXiv:2605.00001v3", "10.48550/arXiv.2605.00001"])
def test_an_arxiv_id_is_found_in_any_column_of_identifiers(identifier):
    for name in ("arxiv_id", "doi", "id", "url"):
        record = columns.build_record({"title": "A", name: identifier})

        assert (record.arxiv_id, record.doi) == ("2605.00001", "")


@pytest.mark.parametrize(
    ("value", "categories"),
    [
        (["cs.LG", "stat.ML"], ("cs.LG", "stat.ML")),
        ("cs.LG stat.ML cs.LG", ("cs.LG", "stat.ML")),
        ("hep-th; cond-mat.mes-hall", ("hep-th", "cond-mat.mes-hall")),
        ("Computer Science, Education", ()),
        (None, ()),
    ],
)
def test_only_arxiv_categories_are_kept(value, categories):
    assert columns.build_record({"title": "A", "categories": value}).categories == categories


def test_characters_that_cannot_be_stored_are_removed():
    bad = "\ud800 \x00"

    assert columns.build_record(
        {"title": f"A{bad}", "doi": f"10.1000/x{bad}", "authors": [bad, f"X{bad}Y"], "code": bad}
    ) == Record(title="A", doi="10.1000/x", authors=("X Y",))
