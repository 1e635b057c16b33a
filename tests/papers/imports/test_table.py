"""CSV as programs write it, and as people break it."""

from __future__ import annotations

import pytest

from papers.imports import InvalidImportFileError, table


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_columns_may_be_parted_by_any_usual_sign(delimiter, newline):
    lines = [
        ["Title", "Abstract"],
        ['"One, two; three|four"', '"A ""word""\nin two lines"'],
        ["", ""],
        ["Next", ""],
    ]
    text = newline.join(delimiter.join(line) for line in lines)

    brought = table.parse_csv(text)

    assert [(each.title, each.abstract) for each in brought.records] == [
        ("One, two; three|four", 'A "word"\nin two lines'),
        ("Next", ""),
    ]
    assert (brought.rejected, brought.truncation_error) == ((), "")


def test_lines_above_the_columns_and_columns_that_come_again_are_skipped():
    brought = table.parse_csv("sep=;\nMy library\nId;Title\n1;A\nid;title\n2;B\n")

    assert [record.title for record in brought.records] == ["A", "B"]
    assert brought.rejected == ()


def test_a_column_of_titles_is_enough():
    assert [each.title for each in table.parse_csv("title\nA\nB, with a comma\n").records] == ["A"]


def test_a_row_that_is_broken_costs_only_itself():
    brought = table.parse_csv('title,doi\nA,\n"B"x,\n,10.1000/x\nC,10.1000/y,more\nD,10.1000/z,,\n')

    assert [record.title for record in brought.records] == ["A", "D"]
    assert brought.rejected == (
        "line 3: a quotation mark in the wrong place",
        "line 4: no title",
        "line 5: more fields than columns",
    )


def test_a_line_number_is_that_of_the_file_below_fields_of_several_lines():
    brought = table.parse_csv('title,doi\n"A\nB\nC",10.1/x\n,10.1000/x\n')

    assert brought.rejected == ("line 5: no title",)


def test_a_quotation_mark_that_is_not_closed_ends_it_and_the_rest_is_kept():
    brought = table.parse_csv('title,doi\nA,\n"B,10.1000/x\nC,')

    assert [record.title for record in brought.records] == ["A"]
    assert (
        brought.truncation_error == "The file breaks off: a quotation mark in line 3 is not closed."
    )


def test_a_field_without_end_costs_what_it_swallows_and_no_more():
    brought = table.parse_csv('title,doi\n"' + "swallowed, line\n" * 9_000 + "A,10.1000/x\n")

    assert brought.records[-1].title == "A"
    assert brought.rejected[0] == "line 2: a quotation mark in the wrong place"


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "no table at all", ",,,\n", '"'])
def test_a_table_without_names_for_its_columns_is_said(text):
    with pytest.raises(InvalidImportFileError, match="no line that names its columns"):
        table.parse_csv(text)
