"""A page saved as text: titles and abstracts in turn, with exceptions."""

from __future__ import annotations

import pytest

from papers.imports import detection, plain
from papers.sources import Record
from tests.papers import recordings

LONG = "We study robots that fold towels with care, and report what we have found in detail. " * 4
BANNER = "Get trending papers in your email inbox once a day!"


def parse_pairs(text: str) -> list[tuple[str, str]]:
    parsed_file = plain.parse_plain_text(text)
    assert parsed_file.rejected == ()
    return [(record.title, record.abstract) for record in parsed_file.records]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "  \n", "\n\n", "\n \t\n\n"])
def test_titles_and_abstracts_alternate(newline):
    text = newline.join(["Robots", LONG.strip(), "Towels 2019", LONG.strip(), "Is it so?", "Yes."])

    assert parse_pairs(text + newline) == [
        ("Robots", LONG.strip()),
        ("Towels 2019", LONG.strip()),
        ("Is it so?", "Yes."),
    ]


def test_banners_are_skipped_anywhere():
    text = f"""{BANNER}
Get trending papers in your email inbox!
SubscribeRobots That Fold
They fold.
{BANNER.upper()}

Subscribe

{BANNER}
SubscribexLSTM Without Tears
It learns.
{BANNER} SubscribeÉcole
It teaches.
"""

    assert parse_pairs(text) == [
        ("Robots That Fold", "They fold."),
        ("xLSTM Without Tears", "It learns."),
        ("École", "It teaches."),
    ]


def test_a_title_keeps_a_word_that_resembles_the_button():
    text = f"{BANNER}\nSubscribers and Their Habits\nThey read.\nSubscribe or Leave\nWe ask.\n"

    assert parse_pairs(text) == [
        ("Subscribers and Their Habits", "They read."),
        ("Subscribe or Leave", "We ask."),
    ]


def test_an_abstract_may_be_missing():
    assert parse_pairs(f"One\nTwo\n{LONG}\nThree\nFour ends here.\n{LONG}\nFive\n") == [
        ("One", ""),
        ("Two", LONG.strip()),
        ("Three", ""),
        ("Four ends here.", LONG.strip()),
        ("Five", ""),
    ]


def test_two_lines_between_empty_lines_are_always_a_paper():
    assert parse_pairs("One\nno full stop\n\nTwo\nand none here\n") == [
        ("One", "no full stop"),
        ("Two", "and none here"),
    ]


def test_a_wrapped_abstract_is_joined():
    wrapped = "\n".join(["These are some sixty characters, broken by a program that counts"] * 5)

    assert parse_pairs(f"One\n{wrapped}\nand here it ends.\n\nTwo\n{wrapped}\nor here.\n") == [
        ("One", f"{wrapped} and here it ends.".replace("\n", " ")),
        ("Two", f"{wrapped} or here.".replace("\n", " ")),
    ]


def test_labels_decide_what_a_line_is():
    text = "Title: Robots\nAbstract: they fold\nTITLE: Is it?\nTitle: Towels.\nAbstract: They lie"

    assert parse_pairs(text) == [("Robots", "they fold"), ("Is it?", ""), ("Towels.", "They lie")]


def test_an_identifier_belongs_to_the_paper_above_it():
    text = (
        "Robots\nThey fold.\nhttps://arxiv.org/abs/2605.00001v2\nTowels\n10.1000/ABC\nThey lie.\n"
    )

    assert plain.parse_plain_text(text).records == (
        Record(arxiv_id="2605.00001", title="Robots", abstract="They fold."),
        Record(doi="10.1000/abc", title="Towels", abstract="They lie."),
    )


def test_lines_that_belong_to_no_paper_are_rejected():
    parsed_file = plain.parse_plain_text(
        f"2605.00001\n{LONG}\nRobots\n{LONG}\n{LONG}\nhttps://x.example/\n"
    )

    assert [record.title for record in parsed_file.records] == ["Robots"]
    assert parsed_file.rejected == (
        "line 1: an identifier without a title",
        "line 2: an abstract without a title",
        "line 5: an abstract without a title",
        "line 6: a URL that belongs to no paper",
    )


@recordings.needs_recordings
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\n\n"], ids=["unix", "windows", "apart"])
def test_the_recorded_page_is_parsed_completely(newline):
    page = (recordings.RECORDINGS_DIR / "search_page.txt").read_text().replace("\n", newline)

    parsed_file = detection.parse_file(page.encode(), file_name="search_page.txt")

    pairs = [(record.title, record.abstract) for record in parsed_file.records]
    assert pairs == [(title, abstract) for title, abstract, _ in recordings.labelled_papers()]
    assert len(pairs) == 119
    assert parsed_file.rejected == ()
