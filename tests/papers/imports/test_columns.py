"""What people call the parts of a paper, and how they write names, days and categories."""

from __future__ import annotations

from datetime import date

import pytest

from papers.imports import columns
from papers.sources import Record
from papers.sources.json_values import RejectedItemError


def test_parts_are_found_under_any_of_their_names():
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
            "Unheard of": "x",
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


def test_papers_of_other_peoples_answers_are_unwrapped():
    hugging_face = {
        "paper": {"id": "2605.00001", "title": "A", "ai_summary": "It is."},
        "title": "B",
    }
    semantic_scholar = {"title": "A", "externalIds": {"ArXiv": "2605.00001", "DOI": "10.1/x"}}

    one = columns.build_record(hugging_face)

    assert (one.arxiv_id, one.title, one.machine_summary) == ("2605.00001", "A", "It is.")
    assert columns.build_record(semantic_scholar).arxiv_id == "2605.00001"
    assert (
        columns.build_record({"title": "A", "tldr": {"text": "Short."}}).machine_summary == "Short."
    )


@pytest.mark.parametrize("row", [{}, {"title": ""}, {"title": 3}, {"abstract": "x"}, {"": "x"}])
def test_a_paper_without_a_title_is_none(row):
    with pytest.raises(RejectedItemError, match="no title"):
        columns.build_record(row)


@pytest.mark.parametrize("number", ["arXiv:2605.00001v3", "10.48550/arXiv.2605.00001"])
def test_an_arxiv_id_is_known_in_any_column_and_its_doi_says_no_more(number):
    for name in ("arxiv_id", "doi", "id", "url"):
        record = columns.build_record({"title": "A", name: number})

        assert (record.arxiv_id, record.doi) == ("2605.00001", "")


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Ada Lovelace", ["Ada Lovelace"]),
        ("Lovelace, Ada", ["Ada Lovelace"]),
        ("Ada Lovelace and Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        ("Lovelace, Ada and Hopper, Grace", ["Ada Lovelace", "Grace Hopper"]),
        ("Lovelace, Ada; Hopper, Grace", ["Ada Lovelace", "Grace Hopper"]),
        ("Ada Lovelace, Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        (
            "Ada Lovelace, Grace Hopper, and A. Turing",
            ["Ada Lovelace", "Grace Hopper", "A. Turing"],
        ),
        ("Ada Lovelace & Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        ("Lovelace, Ada, Hopper, Grace", ["Ada Lovelace", "Grace Hopper"]),
        ("Lovelace A., Hopper G.", ["Lovelace A.", "Hopper G."]),
        ("Plato", ["Plato"]),
        ("; ;", []),
        ("", []),
    ],
)
def test_names_are_parted_in_the_usual_ways(written, names):
    assert list(columns.parse_authors(written)) == names


def test_people_may_be_objects():
    people = [
        {"name": "Ada Lovelace"},
        {"given": "Grace", "family": "Hopper"},
        {"firstName": "Emmy", "lastName": "Noether"},
        "Sophie Germain",
        {"name": None},
        None,
        7,
    ]

    assert columns.parse_authors(people) == (
        "Ada Lovelace",
        "Grace Hopper",
        "Emmy Noether",
        "Sophie Germain",
    )


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-05-12", date(2026, 5, 12)),
        ("2026-05-12T23:30:00-05:00", date(2026, 5, 13)),
        ("2026/5/12", date(2026, 5, 12)),
        ("2026.05.12", date(2026, 5, 12)),
        ("12 May 2026", date(2026, 5, 12)),
        ("May 12, 2026", date(2026, 5, 12)),
        ("Tue, 12 May 2026 10:00:00 GMT", date(2026, 5, 12)),
        ("2026", None),
        ("2026-05", None),
        ("5/12/2026", None),
        ("2026-13-40", None),
        ("soon, perhaps", None),
        (1747000000, None),
    ],
)
def test_a_day_is_read_only_where_it_leaves_no_doubt(written, day):
    assert columns.parse_unambiguous_date(written) == day


@pytest.mark.parametrize(
    ("written", "categories"),
    [
        (["cs.LG", "stat.ML"], ("cs.LG", "stat.ML")),
        ("cs.LG stat.ML cs.LG", ("cs.LG", "stat.ML")),
        ("hep-th; cond-mat.mes-hall", ("hep-th", "cond-mat.mes-hall")),
        ("Computer Science, Education", ()),
        (None, ()),
    ],
)
def test_only_arxivs_categories_are_categories(written, categories):
    assert columns.build_record({"title": "A", "categories": written}).categories == categories


def test_what_no_database_keeps_is_left_out():
    odd = "\ud800 \x00"

    assert columns.build_record(
        {"title": f"A{odd}", "doi": f"10.1000/x{odd}", "authors": [odd, f"X{odd}Y"], "code": odd}
    ) == Record(title="A", doi="10.1000/x", authors=("X Y",))
