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
    ("written", "names"),
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
def test_authors_in_one_text_are_told_apart(written, names):
    assert arxiv_common.split_author_list(written) == names


@pytest.mark.parametrize(
    "written", ["(" * 200_000, "(a(b" * 50_000, " " * 200_000 + "a", ", " * 99_999]
)
def test_hostile_authors_are_read_at_once(written):
    assert len(arxiv_common.split_author_list(written)) <= 50_000


@pytest.mark.parametrize(
    ("written", "doi"),
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
def test_the_doi_is_the_first_that_a_publisher_gave(written, doi):
    assert arxiv_common.first_publisher_doi(written) == doi


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
def test_code_is_the_one_repository_that_is_named(text, url):
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
def test_a_comment_says_that_the_paper_was_withdrawn(comment):
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
def test_a_word_about_something_else_withdraws_nothing(text):
    assert not arxiv_common.mentions_withdrawal(text, text)


def test_an_abstract_withdraws_only_when_it_begins_with_that():
    assert arxiv_common.mentions_withdrawal("", " This paper has been withdrawn by the author.")
    assert not arxiv_common.mentions_withdrawal(
        "", "We study fraud. The paper has been withdrawn by its editors."
    )


@recordings.needs_recordings
def test_none_of_the_recorded_abstracts_is_taken_for_a_withdrawal():
    abstracts = [paper["summary"] for paper in recordings.arxiv_papers()]

    assert [each for each in abstracts if arxiv_common.mentions_withdrawal("", each)] == []


@pytest.mark.parametrize(
    ("number", "month"),
    [
        ("2605.01234", date(2026, 5, 1)),
        ("hep-th/9912001", date(1999, 12, 1)),
        ("math/0309136", date(2003, 9, 1)),
        ("math/0099136", date(2000, 12, 1)),
    ],
)
def test_a_number_tells_its_month(number, month):
    assert arxiv_common.submission_month(number) == month


def test_categories_are_asked_for_once_by_the_name_they_have_today():
    assert arxiv_common.valid_categories(["cs.lg", "math.IT", "cs.IT"]) == ["cs.LG", "cs.IT"]


def test_a_category_that_is_none_is_the_operators_mistake():
    with pytest.raises(
        SourceUnavailableError, match=r"'cs\.XX' is not a category.*ARXIV_CATEGORIES"
    ):
        arxiv_common.valid_categories(["cs.LG", "cs.XX"])


def test_the_services_of_arxiv_wait_for_each_other():
    assert Arxiv.pacing == ArxivRss.pacing == ArxivOai.pacing
    assert (Arxiv.pacing[0], Arxiv.pacing[1].total_seconds()) == ("arxiv", 3)
