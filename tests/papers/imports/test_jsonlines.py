"""Lines, lists and documents of JSON, also where they break off."""

from __future__ import annotations

import json

import pytest

from papers.imports import InvalidImportFileError, ParsedFile, jsonlines


def titles(brought: ParsedFile) -> list[str]:
    return [record.title for record in brought.records]


def test_each_line_is_a_paper_or_has_a_reason():
    brought = jsonlines.parse_json_lines(
        '{"title": "A\u2028B"}\r\n\r\n[1]\r\n{"title": 3}\r\n{broken}\r\nnull\r\n{"title": "C"}\r\n'
    )

    assert titles(brought) == ["A\u2028B", "C"]
    assert brought.rejected == (
        "line 3: no object",
        "line 4: no title",
        "line 5: not JSON",
        "line 6: not JSON",
    )
    assert brought.truncation_error == ""


def test_a_first_line_that_is_broken_costs_only_itself():
    brought = jsonlines.parse_json_lines('{"title": "A",}\n{"title": "B"}\n')

    assert (titles(brought), brought.rejected) == (["B"], ("line 1: not JSON",))


def test_a_last_line_that_breaks_off_is_said_and_the_rest_is_kept():
    brought = jsonlines.parse_json_lines('{"title": "A"}\n{"title": "B"}\n{"title": "C')

    assert titles(brought) == ["A", "B"]
    assert brought.truncation_error == "The file breaks off: line 3 is not JSON to its end."


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
def test_a_list_may_be_written_in_several_ways(text):
    assert titles(jsonlines.parse_json_lines(text)) == ["A", "B"]


def test_one_paper_alone_is_a_document_too():
    assert titles(jsonlines.parse_json_lines(json.dumps({"title": "A"}, indent=2))) == ["A"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[{"title": "A"}, {"title"', "The file breaks off, or is no JSON, in entry 2."),
        ('[{"title": "A"},', "The file breaks off after entry 1."),
        ('[{"title": "A"}' + "[" * 100_000, "The file breaks off, or is no JSON, in entry 2."),
    ],
)
def test_a_list_that_breaks_off_is_said_and_the_rest_is_kept(text, sentence):
    brought = jsonlines.parse_json_lines(text)

    assert (titles(brought), brought.truncation_error) == (["A"], sentence)


@pytest.mark.parametrize("text", ['{"title": ', "7", '{"n": ' + "9" * 5000 + "}", "nonsense"])
def test_what_is_not_json_is_said(text):
    with pytest.raises(InvalidImportFileError, match="The file is not JSON, or breaks off"):
        jsonlines.parse_json_lines(text)
