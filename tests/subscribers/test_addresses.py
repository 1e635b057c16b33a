"""subscribers/addresses.py"""

from __future__ import annotations

import json
import string
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.provisional import domains

from subscribers.addresses import (
    MAX_ADDRESS_CHARS,
    InvalidAddressError,
    normalise_address,
    reject_role_account,
)
from tests.papers.recordings import RECORDINGS_DIR, needs_recordings

RECORDED = RECORDINGS_DIR / "email_addresses"

# Verdicts of email-validator's own tests that we do not share, by what is odd about the address.
OTHERWISE = {
    "quoted": "its part before the @ is quoted: allowed by the standard, carried by few providers",
    "beyond ASCII": "its part before the @ has letters beyond ASCII: carried by few providers",
    "name": "it comes with a display name: what was typed is not an address only",
    "blank": "blanks around it, line ends too, are what copying leaves: they are dropped",
    "one label": "a top-level domain alone: no mail comes from any, and it is a typing error",
}

locals_ = st.text(
    string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=64
)
typed = st.builds("{}@{}".format, locals_, domains()) | st.text(max_size=MAX_ADDRESS_CHARS + 10)


@given(typed)
def test_normalising_again_changes_nothing(text):
    try:
        once = normalise_address(text)
    except InvalidAddressError:
        return
    assert normalise_address(once) == once


@given(typed)
def test_what_comes_out_is_ascii_lower_case_and_one_mailbox(text):
    try:
        email = normalise_address(text)
    except InvalidAddressError:
        return
    assert email.isascii()
    assert email == email.lower()
    assert email.count("@") == 1
    assert not set(email) & set(' \t\r\n\x00,;<>()"[]\\')
    assert len(email) <= MAX_ADDRESS_CHARS


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
    assert normalise_address(text) == email


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
        ("a" * 64 + "@" + "b" * 251 + ".org", "too long for an address"),  # 320 characters
        ("ada@example.org%0aBcc:ben@example.org", "@-sign"),
        ("ada@exam ple.org", "invalid characters"),
        ("ada(home)@example.org", "invalid characters"),
    ],
)
def test_what_is_not_an_address_is_told_in_a_sentence(text, words):
    with pytest.raises(InvalidAddressError, match=words) as caught:
        normalise_address(text)

    assert len(str(caught.value)) < 200


def test_a_look_alike_domain_is_another_address():
    assert normalise_address("ada@exаmple.org") == "ada@xn--exmple-4nf.org"  # Cyrillic а


def test_desks_and_machines_are_no_readers():
    for local in ("abuse", "postmaster", "NO-REPLY", "no.reply", "Do_Not_Reply", "mailer-daemon"):
        with pytest.raises(InvalidAddressError, match="nobody reads a newsletter"):
            reject_role_account(normalise_address(f"{local}@example.org"))
    for local in ("ada", "lab", "info", "abuse-research", "noreplyfan", "team+news"):
        reject_role_account(normalise_address(f"{local}@example.org"))


def verdicts_of_email_validator() -> dict[str, bool]:
    cases = recorded("email_validator_2.4.0.jsonl")
    # Cases taken from pyisemail have their verdict in its own words.
    fine = {"ISEMAIL_VALID", "ISEMAIL_DNSWARN"}
    return {
        case["address"]: case["valid"] is True or str(case["expected"]) in fine for case in cases
    }


def verdicts_of_isemail() -> dict[str, bool]:
    fine = {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN"}
    return {case["address"]: case["category"] in fine for case in recorded("isemail.jsonl")}


def recorded(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECORDED / name).read_text().splitlines()]


@needs_recordings
@pytest.mark.parametrize(
    ("verdicts", "cases", "reasons"),
    [
        (verdicts_of_email_validator, 130, {"quoted", "beyond ASCII", "name", "blank"}),
        (verdicts_of_isemail, 80, {"blank", "one label"}),
    ],
)
def test_recorded_verdicts_are_shared_or_there_is_a_reason(verdicts, cases, reasons):
    differ = {text for text, valid in verdicts().items() if is_accepted(text) != valid}

    assert len(verdicts()) >= cases
    assert [text for text in differ if reason_to_differ(text) not in OTHERWISE] == []
    assert {reason_to_differ(text) for text in differ} <= reasons


@needs_recordings
def test_an_address_that_looks_like_another_s_is_refused_or_becomes_plain_ascii():
    [found] = [json.loads((RECORDED / "role_accounts.json").read_text())]
    locals_ = [*found["no_reply_local_parts"], *found["admin_lookalikes"]]
    accepted = [text for text in locals_ if is_accepted(f"{text}@example.org")]

    assert len(locals_) > 1_000
    # Wide letters and Roman numerals are the letters that they stand for; no other passes.
    assert all(unicodedata.normalize("NFKC", text).isascii() for text in accepted)
    assert [text for text in locals_ if text.isascii() and text not in accepted] == []


@needs_recordings
def test_shared_mailboxes_are_welcome_and_machines_are_not():
    [found] = [json.loads((RECORDED / "role_accounts.json").read_text())]
    plain = [text for text in found["no_reply_local_parts"] if text.isascii()]
    roles = [text for text in found["role_based_local_parts"] if text not in plain]

    def refused(names: list[str]) -> set[str]:
        return {each for each in names if is_desk(f"{each}@example.org")}

    assert refused(roles) == {"abuse", "do_not_reply", "mailer-daemon"}
    assert {"no-reply", "noreply", "do-not-reply"} <= refused(plain)


@needs_recordings
def test_the_domains_of_a_long_list_are_addresses_in_one_spelling():
    [path] = RECORDED.glob("disposable_domains_*.txt")
    domains = [line.strip() for line in path.read_text().splitlines() if line.strip()]

    assert [
        d for d in domains if not d.startswith("#") and normalise_address(f"a@{d}") != f"a@{d}"
    ] == []


def is_accepted(text: str) -> bool:
    try:
        normalise_address(text)
    except InvalidAddressError:
        return False
    return True


def is_desk(email: str) -> bool:
    try:
        reject_role_account(email)
    except InvalidAddressError:
        return True
    return False


def reason_to_differ(text: str) -> str:
    if text != text.strip():
        return "blank"
    if text.startswith('"'):
        return "quoted"
    if text.endswith(">"):
        return "name"
    if "." not in text.rpartition("@")[2]:
        return "one label"
    return "" if text.rpartition("@")[0].isascii() else "beyond ASCII"
