"""A page saved as text: titles and abstracts by turns, more or less."""

from __future__ import annotations

import pytest

from papers.imports import detection, plain
from papers.sources import Record
from tests.papers import recordings

LONG = "We study robots that fold towels with care, and report what we have found in detail. " * 4
BANNER = "Get trending papers in your email inbox once a day!"


def read(text: str) -> list[tuple[str, str]]:
    brought = plain.parse_plain_text(text)
    assert brought.rejected == ()
    return [(record.title, record.abstract) for record in brought.records]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "  \n", "\n\n", "\n \t\n\n"])
def test_titles_and_abstracts_follow_each_other(newline):
    text = newline.join(["Robots", LONG.strip(), "Towels 2019", LONG.strip(), "Is it so?", "Yes."])

    assert read(text + newline) == [
        ("Robots", LONG.strip()),
        ("Towels 2019", LONG.strip()),
        ("Is it so?", "Yes."),
    ]


def test_banners_are_skipped_wherever_they_stand():
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

    assert read(text) == [
        ("Robots That Fold", "They fold."),
        ("xLSTM Without Tears", "It learns."),
        ("École", "It teaches."),
    ]


def test_a_title_keeps_a_word_that_only_looks_like_the_button():
    text = f"{BANNER}\nSubscribers and Their Habits\nThey read.\nSubscribe or Leave\nWe ask.\n"

    assert read(text) == [
        ("Subscribers and Their Habits", "They read."),
        ("Subscribe or Leave", "We ask."),
    ]


def test_an_abstract_may_be_missing():
    assert read(f"One\nTwo\n{LONG}\nThree\nFour ends here.\n{LONG}\nFive\n") == [
        ("One", ""),
        ("Two", LONG.strip()),
        ("Three", ""),
        ("Four ends here.", LONG.strip()),
        ("Five", ""),
    ]


def test_two_lines_that_stand_apart_are_a_paper_whatever_they_look_like():
    assert read("One\nno full stop\n\nTwo\nand none here\n") == [
        ("One", "no full stop"),
        ("Two", "and none here"),
    ]


def test_an_abstract_that_was_broken_into_lines_is_joined():
    broken = "\n".join(["These are some sixty characters, broken by a program that counts"] * 5)

    assert read(f"One\n{broken}\nand here it ends.\n\nTwo\n{broken}\nor here.\n") == [
        ("One", f"{broken} and here it ends.".replace("\n", " ")),
        ("Two", f"{broken} or here.".replace("\n", " ")),
    ]


def test_labels_say_what_a_line_is():
    text = "Title: Robots\nAbstract: they fold\nTITLE: Is it?\nTitle: Towels.\nAbstract: They lie"

    assert read(text) == [("Robots", "they fold"), ("Is it?", ""), ("Towels.", "They lie")]


def test_a_number_belongs_to_the_paper_above_it():
    text = (
        "Robots\nThey fold.\nhttps://arxiv.org/abs/2605.00001v2\nTowels\n10.1000/ABC\nThey lie.\n"
    )

    assert plain.parse_plain_text(text).records == (
        Record(arxiv_id="2605.00001", title="Robots", abstract="They fold."),
        Record(doi="10.1000/abc", title="Towels", abstract="They lie."),
    )


def test_what_belongs_nowhere_is_named():
    brought = plain.parse_plain_text(
        f"2605.00001\n{LONG}\nRobots\n{LONG}\n{LONG}\nhttps://x.example/\n"
    )

    assert [record.title for record in brought.records] == ["Robots"]
    assert brought.rejected == (
        "line 1: a number without a title",
        "line 2: an abstract without a title",
        "line 5: an abstract without a title",
        "line 6: an address that is no paper's",
    )


@recordings.needs_recordings
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\n\n"], ids=["unix", "windows", "apart"])
def test_the_recorded_page_is_read_whole(newline):
    page = (recordings.RECORDINGS_DIR / "search_page.txt").read_text().replace("\n", newline)

    brought = detection.parse_file(page.encode(), file_name="search_page.txt")

    told = [(record.title, record.abstract) for record in brought.records]
    assert told == [(title, abstract) for title, abstract, _ in recordings.labelled_papers()]
    assert len(told) == 119
    assert brought.rejected == ()
