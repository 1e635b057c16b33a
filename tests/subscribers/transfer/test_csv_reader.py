"""subscribers/transfer/csv_reader.py"""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from subscribers.models import Subscriber
from subscribers.transfer import csv_reader, importing
from subscribers.transfer.formats import SkipReason
from tests import factories

pytestmark = pytest.mark.django_db

ADA, BEN = "ada@example.org", "ben@example.org"


@pytest.fixture(autouse=True)
def _topics():
    factories.topic("robotics")
    factories.topic("speech")


def opened(data: bytes) -> csv_reader.Table:
    file = io.BytesIO(data)
    return csv_reader.open_table(
        io.TextIOWrapper(file, csv_reader.detect_encoding(file), newline="")
    )


def read(text: str) -> list[tuple[int, importing.ImportRow | str]]:
    return [
        (line, str(found) if isinstance(found, (importing.InvalidRowError, SkipReason)) else found)
        for line, found in opened(text.encode()).lines
    ]


def emails(data: bytes) -> list[str]:
    return [row.email for _, row in opened(data).lines if isinstance(row, importing.ImportRow)]


def test_a_file_is_read_line_by_line_and_bad_lines_do_not_stop_it():
    text = 'Email, hour,topics\nada@example.org,9,"robotics,speech"\n\nben\nben@example.org,,\n'

    assert read(text) == [
        (2, importing.ImportRow(email=ADA, hour=9, topics=("robotics", "speech"))),
        (4, "An email address must have an @-sign."),
        (5, importing.ImportRow(email=BEN)),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The first line must name the columns"),
        ("\n\n", "The first line must name the columns"),
        ("ada@example.org\n", "The first line must name the columns"),
        ('email\n"' + "x" * 200_000, "The file is not CSV, by line 2"),
        ('"' + "x" * 200_000, "The file is not CSV, by its first line"),
    ],
)
def test_what_is_not_a_list_of_readers_is_refused(text, sentence):
    with pytest.raises(csv_reader.InvalidCsvError, match=sentence):
        read(text)


def test_a_line_with_too_many_fields_is_named_and_a_short_one_is_read():
    assert read("email,hour\na@example.org,7,c\nada@example.org\n") == [
        (2, "There are more fields than the header names."),
        (3, importing.ImportRow(email=ADA)),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(delimiter):
    text = f"name{delimiter}Email{delimiter}hour\nX{delimiter}{ADA}{delimiter}9\n"

    assert read(text) == [(2, importing.ImportRow(email=ADA, hour=9))]
    assert opened(text.encode()).delimiter == delimiter


def test_a_line_for_excel_is_no_header_and_the_numbers_stay_right():
    assert read("sep=;\r\nemail;hour\r\nada@example.org;x\r\n") == [
        (3, "The hour must be a number from 0 to 23, not 'x'.")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_any_usual_encoding_is_found(encoding):
    assert emails(f"email,name\n{ADA},Émilie du Châtelet\n".encode(encoding)) == [ADA]


def test_a_letter_that_is_cut_between_two_chunks_is_utf_8():
    data = (
        b"email,name\n" + b"x" * (csv_reader.READ_CHUNK_BYTES - 12) + "é\n".encode() + ADA.encode()
    )

    assert csv_reader.detect_encoding(io.BytesIO(data)) == "utf-8"


def test_who_is_not_brought_in_is_known_by_the_reason_only():
    text = f"uuid,email,name,attributes,status\n1,{ADA},Ada,{{}},blocklisted\n"

    assert read(text) == [(2, "blocked")]


def test_a_zone_of_another_service_that_is_none_is_no_reason_to_lose_a_reader():
    text = f"Email Address,LEID,TIMEZONE\n{ADA},1,America/New_york\n{BEN},2,Europe/Berlin\n"

    assert read(text) == [
        (2, importing.ImportRow(email=ADA)),
        (3, importing.ImportRow(email=BEN, timezone="Europe/Berlin")),
    ]


def test_guards_are_taken_off_our_own_exports_only():
    assert emails(b"email,status,asked_at\n'+ada@example.org,active,\n") == ["+ada@example.org"]
    assert emails(b"email,name\n'+ada@example.org,\n") == ["'+ada@example.org"]


def test_a_long_list_is_read_in_bounded_memory():
    """Only a number for each address is remembered."""

    def pieces(count: int) -> Iterator[importing.ImportRow]:
        return (importing.ImportRow(email=f"reader{n}@example.org") for n in range(count))

    tracemalloc.start()
    try:
        counts = importing.add_all(pieces(6_000), confirmed=True, now=factories.NOW, dry_run=True)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert counts["added"] == 6_000
    assert not Subscriber.objects.exists()
    assert most < 1_500_000, most


class AnyBytes(TestCase):
    @given(st.binary(max_size=300).map(lambda tail: b"email,topics,status\n" + tail))
    def test_any_file_is_read_or_refused(self, data):
        try:
            for line, _ in opened(data).lines:
                assert line > 1
        except csv_reader.InvalidCsvError:
            pass
