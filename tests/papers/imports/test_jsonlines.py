"""JSON Lines, arrays and documents, also truncated ones."""

from __future__ import annotations

import json

import pytest

from papers.imports import InvalidImportFileError, ParsedFile, jsonlines


def titles(parsed_file: ParsedFile) -> list[str]:
    return [record.title for record in parsed_file.records]


def test_each_line_is_a_paper_or_rejected():
    parsed_file = jsonlines.parse_json_lines(
        '{"title": "A\u2028B"}\r\n\r\n[1]\r\n{"title": 3}\r\n{broken}\r\nnull\r\n{"title": "C"}\r\n'
    )

    assert titles(parsed_file) == ["A\u2028B", "C"]
    assert parsed_file.rejected == (
        "line 3: not an object",
        "line 4: no title",
        "line 5: not JSON",
        "line 6: not JSON",
    )
    assert parsed_file.truncation_error == ""


def test_only_a_defective_first_line_is_rejected():
    parsed_file = jsonlines.parse_json_lines('{"title": "A",}\n{"title": "B"}\n')

    assert (titles(parsed_file), parsed_file.rejected) == (["B"], ("line 1: not JSON",))


def test_a_truncated_last_line_is_reported_and_the_others_are_kept():
    parsed_file = jsonlines.parse_json_lines('{"title": "A"}\n{"title": "B"}\n{"title": "C')

    assert titles(parsed_file) == ["A", "B"]
    assert parsed_file.truncation_error == "The file is cut off: line 3 is not complete JSON."


@pytest.mark.parametrize(
    "text",
    [
        '[{"title": "A"}, {"title": "B"}]',
        '[\n  {"title": "A"},\n  {"title": "B"}\n]\n',
        '{"papers": [{"title": "A"}, {"title": "B"}]}',
        '{\n "data": [\n  {"title": "A"},\n  {"title": "B"}]\n}',
        '{"title": "A"}\n{"title": "B"}',
    ],
)
def test_a_list_may_have_several_forms(text):
    assert titles(jsonlines.parse_json_lines(text)) == ["A", "B"]


def test_a_document_may_be_a_single_paper():
    assert titles(jsonlines.parse_json_lines(json.dumps({"title": "A"}, indent=2))) == ["A"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[{"title": "A"}, {"title"', "The file is cut off, or is not JSON, in entry 2."),
        ('[{"title": "A"},', "The file is cut off after entry 1."),
        ('[{"title": "A"}' + "[" * 100_000, "The file is cut off, or is not JSON, in entry 2."),
    ],
)
def test_a_truncated_list_is_reported_and_the_entries_before_are_kept(text, sentence):
    parsed_file = jsonlines.parse_json_lines(text)

    assert (titles(parsed_file), parsed_file.truncation_error) == (["A"], sentence)


@pytest.mark.parametrize("text", ['{"title": ', "7", '{"n": ' + "9" * 5000 + "}", "nonsense"])
def test_a_file_that_is_not_json_is_reported(text):
    with pytest.raises(InvalidImportFileError, match="The file is not JSON, or is cut off"):
        jsonlines.parse_json_lines(text)
