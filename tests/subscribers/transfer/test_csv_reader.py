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
from subscribers.transfer import csv_reader, import_rows, importing
from subscribers.transfer.formats import SkipReason
from tests import factories

pytestmark = pytest.mark.django_db

ADA, BEN = "ada@example.org", "ben@example.org"


@pytest.fixture(autouse=True)
def _topics():
    factories.topic("robotics")
    factories.topic("speech")


def open_bytes(data: bytes) -> csv_reader.Table:
    file = io.BytesIO(data)
    return csv_reader.open_table(
        io.TextIOWrapper(file, csv_reader.detect_encoding(file), newline="")
    )


def parse_text(text: str) -> list[tuple[int, import_rows.ImportRow | str]]:
    return [
        (
            line,
            str(result) if isinstance(result, import_rows.InvalidRowError | SkipReason) else result,
        )
        for line, result in open_bytes(text.encode()).lines
    ]


def emails(data: bytes) -> list[str]:
    return [
        row.email for _, row in open_bytes(data).lines if isinstance(row, import_rows.ImportRow)
    ]


def test_invalid_lines_do_not_stop_the_others():
    text = 'Email, hour,topics\nada@example.org,9,"robotics,speech"\n\nben\nben@example.org,,\n'

    assert parse_text(text) == [
        (2, import_rows.ImportRow(email=ADA, hour=9, topics=("robotics", "speech"))),
        (4, "An email address must have an @-sign."),
        (5, import_rows.ImportRow(email=BEN)),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The first line must be a header"),
        ("\n\n", "The first line must be a header"),
        ("ada@example.org\n", "The first line must be a header"),
        ('email\n"' + "x" * 200_000, "The file is not valid CSV: line 2"),
        ('"' + "x" * 200_000, "The file is not valid CSV: line 1"),
    ],
)
def test_a_file_that_is_not_a_subscriber_list_is_rejected(text, sentence):
    with pytest.raises(csv_reader.InvalidCsvError, match=sentence):
        parse_text(text)


def test_a_line_with_too_many_fields_is_an_error_and_a_short_one_is_padded():
    assert parse_text("email,hour\na@example.org,7,c\nada@example.org\n") == [
        (2, "The line has more fields than the header."),
        (3, import_rows.ImportRow(email=ADA)),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_common_delimiters_are_detected(delimiter):
    text = f"name{delimiter}Email{delimiter}hour\nX{delimiter}{ADA}{delimiter}9\n"

    assert parse_text(text) == [(2, import_rows.ImportRow(email=ADA, hour=9))]
    assert open_bytes(text.encode()).delimiter == delimiter


def test_the_separator_line_of_excel_is_skipped_but_counted():
    assert parse_text("sep=;\r\nemail;hour\r\nada@example.org;x\r\n") == [
        (3, "The hour must be a number from 0 to 23, not 'x'.")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_common_encodings_are_detected(encoding):
    assert emails(f"email,name\n{ADA},Émilie du Châtelet\n".encode(encoding)) == [ADA]


def test_utf_8_is_detected_if_a_character_is_split_between_chunks():
    data = (
        b"email,name\n" + b"x" * (csv_reader.READ_CHUNK_BYTES - 12) + "é\n".encode() + ADA.encode()
    )

    assert csv_reader.detect_encoding(io.BytesIO(data)) == "utf-8"


def test_a_skipped_line_gives_only_the_reason():
    text = f"uuid,email,name,attributes,status\n1,{ADA},Ada,{{}},blocklisted\n"

    assert parse_text(text) == [(2, "blocked")]


def test_an_invalid_time_zone_of_another_service_is_ignored():
    text = f"Email Address,LEID,TIMEZONE\n{ADA},1,America/New_york\n{BEN},2,Europe/Berlin\n"

    assert parse_text(text) == [
        (2, import_rows.ImportRow(email=ADA)),
        (3, import_rows.ImportRow(email=BEN, timezone="Europe/Berlin")),
    ]


def test_formulas_are_unescaped_in_our_own_exports_only():
    assert emails(b"email,status,asked_at\n'+ada@example.org,active,\n") == ["+ada@example.org"]
    assert emails(b"email,name\n'+ada@example.org,\n") == ["'+ada@example.org"]


def test_importing_a_long_list_takes_little_memory():
    """Only a hash of each address is kept."""

    def rows(count: int) -> Iterator[import_rows.ImportRow]:
        return (import_rows.ImportRow(email=f"reader{n}@example.org") for n in range(count))

    tracemalloc.start()
    try:
        counts = importing.add_all(rows(6_000), confirmed=True, now=factories.NOW, dry_run=True)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert counts["added"] == 6_000
    assert not Subscriber.objects.exists()
    assert peak_bytes < 1_500_000


class ArbitraryBytes(TestCase):
    @given(st.binary(max_size=300).map(lambda tail: b"email,topics,status\n" + tail))
    def test_arbitrary_bytes_are_parsed_or_rejected(self, data):
        try:
            for line_number, _ in open_bytes(data).lines:
                assert line_number > 1
        except csv_reader.InvalidCsvError:
            pass
