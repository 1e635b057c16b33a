"""How authors, DOIs, code and withdrawals are written on arXiv."""

from __future__ import annotations

from datetime import date

import pytest

from papers.sources import SourceUnavailableError, arxiv_common
from papers.sources.arxiv import Arxiv
from papers.sources.arxiv_oai import ArxivOai
from papers.sources.arxiv_rss import ArxivRss
from tests.papers import recordings


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A. Abel, B. Bell", ("A. Abel", "B. Bell")),
        ("A. Abel, B. Bell, and C. Curie", ("A. Abel", "B. Bell", "C. Curie")),
        ("Sandy Andrews and Rand Li", ("Sandy Andrews", "Rand Li")),
        ("A. Abel (MIT, Boston), B. Bell (X (Y))", ("A. Abel", "B. Bell")),
        ("A. Abel (1), B. Bell (2) ((1) MIT, (2) Bell)", ("A. Abel", "B. Bell")),
        ("G. David Forney, Jr., Roy Li, III", ("G. David Forney Jr.", "Roy Li III")),
        ("Roldao da Rocha, Waldyr Rodrigues Jr", ("Roldao da Rocha", "Waldyr Rodrigues Jr")),
        ("Ring Collaboration: A. Abel", ("Ring Collaboration", "A. Abel")),
        ("A. Abel & B. Bell; C. Curie", ("A. Abel", "B. Bell", "C. Curie")),
        (r"S{\o}ren Holm, Jos\'e Li", (r"S{\o}ren Holm", r"Jos\'e Li")),
        ("S.V.Abel,\n  李明", ("S.V.Abel", "李明")),
        ("Jr.", ("Jr.",)),
        (", : (MIT)", ()),
        ("", ()),
    ],
)
def test_authors_in_one_text_are_separated(text, names):
    assert arxiv_common.split_author_list(text) == names


@pytest.mark.parametrize(
    "text", ["(" * 200_000, "(a(b" * 50_000, " " * 200_000 + "a", ", " * 99_999]
)
def test_hostile_authors_are_split_in_bounded_time(text):
    assert len(arxiv_common.split_author_list(text)) <= 50_000


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1103/PhysRevD.93.016005", "10.1103/physrevd.93.016005"),
        ("10.1103/A, 10.1103/B;10.1103/C", "10.1103/a"),
        ("10.1103/A;10.1103/B", "10.1103/a"),
        ("10.1103/A 10.1103/B", "10.1103/a"),
        ("https://doi.org/10.1016/S0550(01)2,3", "10.1016/s0550(01)2,3"),
        ("10.48550/arXiv.2401.00001", ""),
        ("to appear", ""),
        ("", ""),
    ],
)
def test_the_doi_is_the_first_one_of_a_publisher(text, doi):
    assert arxiv_common.first_publisher_doi(text) == doi


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("Code: https://github.com/Example/Comets.", "https://github.com/Example/Comets"),
        ("(see github.com/example/comets.git)", "https://github.com/example/comets"),
        (r"\url{https://www.github.com/a_b/c\_d}", ""),
        (r"\url{https://github.com/a-b/c\_d}", "https://github.com/a-b/c_d"),
        ("https://github.com/a/b/tree/main and github.com/A/B", "https://github.com/a/b"),
        ("https://github.com/a/b extends https://github.com/c/d", ""),
        ("https://github.com/example", ""),
        ("https://example.github.io/comets", ""),
        ("https://gist.github.com/example/123", ""),
        ("https://github.com/topics/comets", ""),
        ("Our code is on GitHub.", ""),
    ],
)
def test_the_code_is_the_only_repository_that_is_named(text, url):
    assert arxiv_common.code_url(text) == url


@pytest.mark.parametrize(
    "comment",
    [
        "Withdrawn",
        "withdrawn by the author due to an error",
        "Retracted: error in Lemma 2",
        "Withdrawn (see v2)",
        "Paper withdrawn",
        "This paper has been withdrawn",
        "5 pages. This paper has been withdrawn by the author due to an error",
        "5 pages, this paper has been withdrawn",
        "The paper has been withdrawn by the authors",
        "This submission has been withdrawn by arXiv administrators due to disputed authorship",
        "This article has been temporarily withdrawn",
        "This paper and abstract have been withdrawn.",
        "The authors have withdrawn this paper",
        "We withdraw this manuscript",
        "This paper was\nwithdrawn from arXiv",
    ],
)
def test_a_comment_states_a_withdrawal(comment):
    assert arxiv_common.mentions_withdrawal(comment, "We prove a lemma.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12 pages",
        "Withdrawn from ICML 2024",
        "This paper was withdrawn from the conference",
        "An earlier version of this paper has been withdrawn",
        "Replaces arXiv:2401.00001, which has been withdrawn",
        "12 pages; supersedes arXiv:2401.00001 (withdrawn)",
        "This paper has not been withdrawn",
        "v2: a withdrawn figure was replaced",
        "We study withdrawn papers. A drug has been withdrawn.",
        "The paper withdrawn last year was wrong",
    ],
)
def test_text_about_something_else_is_not_a_withdrawal(text):
    assert not arxiv_common.mentions_withdrawal(text, text)


def test_an_abstract_states_a_withdrawal_only_at_its_beginning():
    assert arxiv_common.mentions_withdrawal("", " This paper has been withdrawn by the author.")
    assert not arxiv_common.mentions_withdrawal(
        "", "We study fraud. The paper has been withdrawn by its editors."
    )


@recordings.needs_recordings
def test_no_recorded_abstract_is_mistaken_for_a_withdrawal():
    abstracts = [paper["summary"] for paper in recordings.arxiv_papers()]

    assert [text for text in abstracts if arxiv_common.mentions_withdrawal("", text)] == []


@pytest.mark.parametrize(
    ("arxiv_id", "month"),
    [
        ("2605.01234", date(2026, 5, 1)),
        ("hep-th/9912001", date(1999, 12, 1)),
        ("math/0309136", date(2003, 9, 1)),
        ("math/0099136", date(2000, 12, 1)),
    ],
)
def test_an_id_has_the_month_of_submission(arxiv_id, month):
    assert arxiv_common.submission_month(arxiv_id) == month


def test_categories_are_requested_once_under_their_present_names():
    assert arxiv_common.valid_categories(["cs.lg", "math.IT", "cs.IT"]) == ["cs.LG", "cs.IT"]


def test_an_unknown_category_is_reported_to_the_operator():
    with pytest.raises(
        SourceUnavailableError, match=r"'cs\.XX' is not a category.*ARXIV_CATEGORIES"
    ):
        arxiv_common.valid_categories(["cs.LG", "cs.XX"])


def test_the_three_sources_share_call_slots():
    assert Arxiv.pacing == ArxivRss.pacing == ArxivOai.pacing
    assert (Arxiv.pacing[0], Arxiv.pacing[1].total_seconds()) == ("arxiv", 3)
