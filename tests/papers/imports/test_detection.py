"""Formats, encodings, and files that have no papers."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.imports import InvalidImportFileError, detection

CSV = "title,abstract\nGödel’s Robots,They fold.\n"
JSONL = '{"title": "Gödel’s Robots", "abstract": "They fold."}\n'
BIB = "% mine\n@misc{a, title = {Gödel’s Robots}, abstract = {They fold.}}\n"
TEXT = "Gödel’s Robots\nThey fold.\n"


@pytest.mark.parametrize("name", ["", "x.txt", "x.csv", "x.bib", "x.jsonl", "x"])
@pytest.mark.parametrize("text", [CSV, JSONL, BIB], ids=["csv", "jsonl", "bibtex"])
def test_the_format_is_detected_from_the_content_under_any_name(text, name):
    [record] = detection.parse_file(text.encode(), file_name=name).records

    assert (record.title, record.abstract) == ("Gödel’s Robots", "They fold.")


@pytest.mark.parametrize("text", [CSV, JSONL, BIB, TEXT], ids=["csv", "jsonl", "bibtex", "text"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_usual_encodings_are_decoded(text, encoding):
    [record] = detection.parse_file(text.encode(encoding)).records

    assert (record.title, record.abstract) == ("Gödel’s Robots", "They fold.")


@pytest.mark.parametrize(
    ("text", "name", "format"),
    [
        ("A title, with a comma\nAn abstract.", "papers.txt", "text"),
        ("[Tutorial] Robots\nThey fold.", "", "text"),
        ("{Robots} That Fold\nThey fold.", "", "text"),
        ("Mail me @home (soon)\nIt is late.", "", "text"),
        ("title\nRobots\n", "papers.csv", "csv"),
        ("Some words first\n", "library.BIB", "bibtex"),
        ("nonsense", "papers.ndjson", "jsonl"),
    ],
)
def test_the_name_decides_where_the_content_is_ambiguous(text, name, format):
    assert detection.detect_format(text, name) == format


def test_a_given_format_overrides_detection():
    [record] = detection.parse_file(JSONL.encode(), format="text").records

    assert record.title == JSONL.strip()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf \r\n", "The file is empty."),
        (b"\xff\xfe", "The file is empty."),
        (b"\xff\xfea", "The file is not text."),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "The file is not text."),
        (b"title\x00\nA", "The file is not text."),
        (b"\x81\x8d\x8f", "The file is not text."),
        (b"\x01\x02\x03\x04 text", "The file is not text."),
        (b"%PDF-1.7 x", "The file is a PDF: save its text first."),
        (gzip.compress(b"x"), "The file is packed with gzip: unpack it first."),
        (
            b"PK\x03\x04x",
            "The file is a zip archive or an office document: save it as CSV, or unpack it, first.",
        ),
        (
            b"<!DOCTYPE html><title>Robots</title>",
            "The file is a web page or XML. Save a page as text; pass the saved response of a "
            "source to fetch_papers --from-file.",
        ),
        (b'{"error": "no"}', "The file has no papers (entry 1: no title)."),
        (b"title,abstract\n", "The file has no papers."),
        (b"@misc{a, title = {A", "The file is cut off in line 1 (a)."),
        (b"Get trending papers in your email inbox!\nSubscribe", "The file has no papers."),
    ],
)
def test_a_file_without_papers_is_reported_in_a_sentence(body, sentence):
    with pytest.raises(InvalidImportFileError) as caught:
        detection.parse_file(body)

    assert str(caught.value) == sentence


@pytest.mark.parametrize("format", detection.PARSERS)
@given(text=st.text(max_size=300) | st.text('{}[]",:;@\n\\ title={}abs\t', max_size=300))
def test_any_text_is_parsed_or_rejected(format, text):
    try:
        parsed_file = detection.parse_file(text.encode(errors="replace"), format=format)
    except InvalidImportFileError:
        return
    assert all(record.title for record in parsed_file.records)
