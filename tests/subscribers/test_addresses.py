"""subscribers/addresses.py"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.provisional import domains

from subscribers.addresses import LONGEST, BadAddress, normalise

RECORDED = Path(settings.BASE_DIR).parent / "shared" / "data" / "email_addresses"

# Verdicts of email-validator's own tests that we do not share, by what is odd about the address.
OTHERWISE = {
    "quoted": "its part before the @ is quoted: allowed by the standard, carried by few providers",
    "beyond ASCII": "its part before the @ has letters beyond ASCII: carried by few providers",
    "name": "it comes with a display name: what was typed is not an address only",
    "blank": "blanks around it, line ends too, are what copying leaves: they are dropped",
}

locals_ = st.text(
    string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=64
)
typed = st.builds("{}@{}".format, locals_, domains()) | st.text(max_size=LONGEST + 10)


@given(typed)
def test_normalising_again_changes_nothing(text):
    try:
        once = normalise(text)
    except BadAddress:
        return
    assert normalise(once) == once


@given(typed)
def test_what_comes_out_is_ascii_lower_case_and_one_mailbox(text):
    try:
        email = normalise(text)
    except BadAddress:
        return
    assert email.isascii()
    assert email == email.lower()
    assert email.count("@") == 1
    assert not set(email) & set(' \t\r\n\x00,;<>()"[]\\')
    assert len(email) <= LONGEST


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace+Papers@Example.ORG \n", "ada.lovelace+papers@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ADA@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ", "ada@example.org"),
        ("o'hara&co@example.org", "o'hara&co@example.org"),
    ],
    ids=["plain", "case and blanks", "international", "its case", "its ASCII", "wide", "signs"],
)
def test_spellings_of_one_address_become_one(text, email):
    assert normalise(text) == email


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must have an @-sign"),
        ("ada", "must have an @-sign"),
        ("ada@localhost", "should have a period"),
        ("ada@example.org, ben@example.org", "one address, not several"),
        ("ada@example.org;ben@example.org", "one address, not several"),
        ("ada@example.org ben@example.org", "one address, not several"),
        ("ada@example.org\nBcc: ben@example.org", "no line breaks"),
        ("ada@example.org\r\n\r\nHello", "no line breaks"),
        ("ada@exam\x00ple.org", "no invisible characters"),
        ("a\u200bda@example.org", "no invisible characters"),
        ("ada\ud800@example.org", "no invisible characters"),
        ("Ada <ada@example.org>", "display name"),
        ('"a b"@example.org', "Quoting"),
        ("ada@[127.0.0.1]", "bracketed IP address"),
        ("аdа@example.org", "Internationalized characters before the @-sign"),  # Cyrillic а
        ("a" * 65 + "@example.org", "too long before the @-sign"),
        ("a@" + "b." * 150 + "org", "too long for an address"),
        ("a" * 10_000 + "@example.org", "too long for an address"),
    ],
)
def test_what_is_not_an_address_is_told_in_a_sentence(text, words):
    with pytest.raises(BadAddress, match=words) as caught:
        normalise(text)

    assert len(str(caught.value)) < 200


def test_a_look_alike_domain_is_another_address():
    assert normalise("ada@exаmple.org") == "ada@xn--exmple-4nf.org"  # Cyrillic а


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded addresses are not on this machine")
def test_recorded_verdicts_are_shared_or_there_is_a_reason():
    lines = (RECORDED / "email_validator_2.4.0.jsonl").read_text().splitlines()
    cases = {case["address"]: is_valid(case) for case in map(json.loads, lines)}
    odd = [
        text
        for text, valid in cases.items()
        if is_accepted(text) != valid and reason_to_differ(text) not in OTHERWISE
    ]

    assert len(cases) > 130
    assert odd == []


def is_valid(case: dict[str, Any]) -> bool:
    """The recorded verdict; cases taken from pyisemail have theirs in its own words."""
    return case["valid"] is True or case["expected"] in {"ISEMAIL_VALID", "ISEMAIL_DNSWARN"}


def is_accepted(text: str) -> bool:
    try:
        normalise(text)
    except BadAddress:
        return False
    return True


def reason_to_differ(text: str) -> str:
    if text != text.strip():
        return "blank"
    if text.startswith('"'):
        return "quoted"
    if text.endswith(">"):
        return "name"
    return "" if text.rpartition("@")[0].isascii() else "beyond ASCII"
