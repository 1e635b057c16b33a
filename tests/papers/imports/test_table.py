"""CSV as programs write it, and with the defects that people introduce."""

from __future__ import annotations

import pytest

from papers.imports import InvalidImportFileError, table


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_usual_delimiter_is_detected(delimiter, newline):
    lines = [
        ["Title", "Abstract"],
        ['"One, two; three|four"', '"A ""word""\nin two lines"'],
        ["", ""],
        ["Next", ""],
    ]
    text = newline.join(delimiter.join(line) for line in lines)

    parsed_file = table.parse_csv(text)

    assert [(record.title, record.abstract) for record in parsed_file.records] == [
        ("One, two; three|four", 'A "word"\nin two lines'),
        ("Next", ""),
    ]
    assert (parsed_file.rejected, parsed_file.truncation_error) == ((), "")


def test_lines_above_the_header_and_repeated_headers_are_skipped():
    parsed_file = table.parse_csv("sep=;\nMy library\nId;Title\n1;A\nid;title\n2;B\n")

    assert [record.title for record in parsed_file.records] == ["A", "B"]
    assert parsed_file.rejected == ()


def test_a_single_column_of_titles_is_enough():
    assert [record.title for record in table.parse_csv("title\nA\nB, with a comma\n").records] == [
        "A"
    ]


def test_only_a_defective_row_is_rejected():
    parsed_file = table.parse_csv(
        'title,doi\nA,\n"B"x,\n,10.1000/x\nC,10.1000/y,more\nD,10.1000/z,,\n'
    )

    assert [record.title for record in parsed_file.records] == ["A", "D"]
    assert parsed_file.rejected == (
        "line 3: a quotation mark in the wrong place",
        "line 4: no title",
        "line 5: more cells than columns",
    )


def test_a_line_number_counts_the_lines_of_the_file():
    parsed_file = table.parse_csv('title,doi\n"A\nB\nC",10.1/x\n,10.1000/x\n')

    assert parsed_file.rejected == ("line 5: no title",)


def test_an_unclosed_quotation_mark_is_reported_and_the_rows_before_are_kept():
    parsed_file = table.parse_csv('title,doi\nA,\n"B,10.1000/x\nC,')

    assert [record.title for record in parsed_file.records] == ["A"]
    assert (
        parsed_file.truncation_error
        == "The file is cut off: a quotation mark in line 3 is not closed."
    )


def test_rows_after_a_field_that_is_too_long_are_kept():
    parsed_file = table.parse_csv('title,doi\n"' + "enclosed, line\n" * 9_000 + "A,10.1000/x\n")

    assert parsed_file.records[-1].title == "A"
    assert parsed_file.rejected[0] == "line 2: a quotation mark in the wrong place"


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "no table at all", ",,,\n", '"'])
def test_a_table_without_a_header_is_reported(text):
    with pytest.raises(InvalidImportFileError, match="no line that names its columns"):
        table.parse_csv(text)
