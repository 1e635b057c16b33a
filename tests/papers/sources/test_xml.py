"""XML that is cut off, hostile or huge, and bytes that are not XML."""

from __future__ import annotations

import resource
from datetime import UTC, date, datetime

import pytest

from papers.sources import InvalidResponseError, http, xml

BOMB = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in b"bcdefghij")
    + b"]><a>&j;</a>"
)
EXTERNAL = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
DOCUMENT_TYPE = "The answer declares a document type, which is not allowed."
WEB_PAGE = "The answer is a web page, not XML."


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The answer is empty."),
        (b" \n\x00", "The answer is empty."),
        (b"<a><b>", "The answer is not XML, or was cut off at line 1, column 6."),
        (b"<a>\n<b></a>", "The answer is not XML, or was cut off at line 2, column 5."),
        (b'{"a": 1}', "The answer is not XML, or was cut off at line 1, column 0."),
        (b"\x89PNG\r\n", "The answer is not XML, or was cut off at line 1, column 0."),
        (b"<a>\xe9t\xe9</a>", "The answer is not XML, or was cut off at line 1, column 3."),
        (
            b"<?xml version='1.0' encoding='klingon'?><a/>",
            "The answer is in an encoding that cannot be read.",
        ),
        (
            b"<?xml version='1.0' encoding='shift_jis'?><a/>",
            "The answer is in an encoding that cannot be read.",
        ),
        (b"<!DOCTYPE html><html><br></html>", WEB_PAGE),
        (b"<HTML><body>Please wait<br>", WEB_PAGE),
        (b'<html xmlns="http://www.w3.org/1999/xhtml"/>', WEB_PAGE),
        (BOMB, DOCUMENT_TYPE),
        (EXTERNAL, DOCUMENT_TYPE),
        (EXTERNAL.decode().encode("utf-16"), DOCUMENT_TYPE),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>', DOCUMENT_TYPE),
        (b"<a>" * 100_000, "The answer is nested deeper than any real one."),
        (
            b"<a " + b"".join(b'a%d="" ' % number for number in range(500_001)) + b"/>",
            "The answer has more quotation marks than any real one.",
        ),
    ],
)
def test_invalid_xml_is_reported_in_a_sentence(body, sentence):
    with pytest.raises(InvalidResponseError) as caught:
        xml.parse_xml(body)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("beginning", "letter", "end"),
    [(b"<a>", b"x", b"</a>"), (b'<a b="', b"x", b'"/>')],
    ids=["text", "attribute"],
)
def test_the_largest_response_takes_little_more_memory_than_its_length(beginning, letter, end):
    body = beginning + letter * (http.MAX_RESPONSE_BYTES // len(letter) - 100) + end
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert xml.parse_xml(body).tag == "a"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * len(body) // 1024


def test_the_number_of_elements_is_limited(monkeypatch):
    monkeypatch.setattr(xml, "MAX_ELEMENTS", 1000)

    assert len(xml.parse_xml(b"<a>" + b"<b/>" * 999 + b"</a>")) == 999
    with pytest.raises(
        InvalidResponseError, match=r"^The answer has more elements than any real one\.$"
    ):
        xml.parse_xml(b"<a>" + b"<b/>" * 1000)


def test_namespaces_are_dropped():
    root = xml.parse_xml(b'<r:a xmlns:r="urn:r" xmlns="urn:x"><b>1</b><r:b>2</r:b><c/></r:a>')

    assert (root.tag, xml.all_texts(root, "b")) == ("a", ["1", "2"])


def test_white_space_and_control_characters_are_tolerated():
    root = xml.parse_xml(b"\n <?xml version='1.0'?>\n<a>An\x0bote \x1f of\tone</a>\x00\n")

    assert root.text == "Anote  of\tone"


def test_the_first_text_that_is_not_empty_is_returned():
    root = xml.parse_xml(b"<a><b> </b><c> see </c><d>no</d></a>")

    assert (xml.first_text(root, "b", "x", "c", "d"), xml.first_text(root, "x")) == ("see", "")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-06-03T01:02:03Z", datetime(2026, 6, 3, 1, 2, 3, tzinfo=UTC)),
        ("2007-10-08T22:00:00-04:00", datetime(2007, 10, 9, 2, tzinfo=UTC)),
        ("2026-06-03T01:02:03.456789+00:00", datetime(2026, 6, 3, 1, 2, 3, 456789, tzinfo=UTC)),
        ("2026-06-03", datetime(2026, 6, 3, tzinfo=UTC)),
        ("Thu, 03 Feb 2011 00:00:00 -0500", datetime(2011, 2, 3, 5, tzinfo=UTC)),
        ("Tue, 18 Nov 2008 14:54:25 GMT", datetime(2008, 11, 18, 14, 54, 25, tzinfo=UTC)),
        ("Tue, 18 Nov 2008 14:54:25 -0000", datetime(2008, 11, 18, 14, 54, 25, tzinfo=UTC)),
        ("9999-12-31T23:00:00-04:00", None),
        ("yesterday", None),
        ("", None),
        ("2026-13-40", None),
    ],
)
def test_a_moment_is_returned_in_utc(text, moment):
    assert xml.parse_datetime(text) == moment


def test_a_day_is_the_day_in_utc():
    assert (xml.parse_date("2007-10-08T22:00:00-04:00"), xml.parse_date("?")) == (
        date(2007, 10, 9),
        None,
    )
