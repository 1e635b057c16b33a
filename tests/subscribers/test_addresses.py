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

# Why our verdict differs from the recorded ones, by the oddity of the address.
KNOWN_DIFFERENCES = {
    "quoted": "a quoted part before the @: allowed by the standard, supported by few providers",
    "beyond ASCII": "non-ASCII characters before the @: supported by few providers",
    "name": "a display name: the text is more than an address",
    "blank": "surrounding blanks and line ends, which copying leaves behind: stripped",
    "one label": "a top-level domain alone: a typing error",
}

local_parts = st.text(
    string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=64
)
inputs = st.builds("{}@{}".format, local_parts, domains()) | st.text(
    max_size=MAX_ADDRESS_CHARS + 10
)


@given(inputs)
def test_normalising_again_changes_nothing(text):
    try:
        once = normalise_address(text)
    except InvalidAddressError:
        return
    assert normalise_address(once) == once


@given(inputs)
def test_a_normalised_address_is_one_lower_case_ascii_mailbox(text):
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
    ("text", "sentence_part"),
    [
        ("", "must have an @-sign"),
        ("ada", "must have an @-sign"),
        ("ada@localhost", "should have a period"),
        ("ada@example.org, ben@example.org", "one address, not several"),
        ("ada@example.org;ben@example.org", "one address, not several"),
        ("ada@example.org ben@example.org", "one address, not several"),
        ("ada@example.org\nBcc: ben@example.org", "cannot contain line breaks"),
        ("ada@example.org\r\n\r\nHello", "cannot contain line breaks"),
        ("ada@exam\x00ple.org", "or invisible characters"),
        ("a\u200bda@example.org", "or invisible characters"),
        ("ada\ud800@example.org", "or invisible characters"),
        ("Ada <ada@example.org>", "display name"),
        ('"a b"@example.org', "Quoting"),
        ("ada@[127.0.0.1]", "bracketed IP address"),
        ("аdа@example.org", "Internationalized characters before the @-sign"),  # Cyrillic а
        ("a" * 65 + "@example.org", "too long before the @-sign"),
        ("a@" + "b." * 150 + "org", "This address is too long"),
        ("a" * 10_000 + "@example.org", "This address is too long"),
        ("a" * 64 + "@" + "b" * 251 + ".org", "This address is too long"),  # 320 characters
        ("ada@example.org%0aBcc:ben@example.org", "@-sign"),
        ("ada@exam ple.org", "invalid characters"),
        ("ada(home)@example.org", "invalid characters"),
    ],
)
def test_an_invalid_address_is_explained_in_a_sentence(text, sentence_part):
    with pytest.raises(InvalidAddressError, match=sentence_part) as caught:
        normalise_address(text)

    assert len(str(caught.value)) < 200


def test_a_look_alike_domain_is_another_address():
    assert normalise_address("ada@exаmple.org") == "ada@xn--exmple-4nf.org"  # Cyrillic а


def test_role_accounts_are_refused():
    for local in ("abuse", "postmaster", "NO-REPLY", "no.reply", "Do_Not_Reply", "mailer-daemon"):
        with pytest.raises(InvalidAddressError, match="does not belong to a person"):
            reject_role_account(normalise_address(f"{local}@example.org"))
    for local in ("ada", "lab", "info", "abuse-research", "noreplyfan", "team+news"):
        reject_role_account(normalise_address(f"{local}@example.org"))


def verdicts_of_email_validator() -> dict[str, bool]:
    cases = recorded("email_validator_2.4.0.jsonl")
    # Cases from pyisemail use its own names for verdicts.
    valid_names = {"ISEMAIL_VALID", "ISEMAIL_DNSWARN"}
    return {
        case["address"]: case["valid"] is True or str(case["expected"]) in valid_names
        for case in cases
    }


def verdicts_of_isemail() -> dict[str, bool]:
    valid_names = {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_DNSWARN"}
    return {case["address"]: case["category"] in valid_names for case in recorded("isemail.jsonl")}


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
def test_recorded_verdicts_match_or_have_a_known_reason(verdicts, cases, reasons):
    differing = {text for text, valid in verdicts().items() if is_accepted(text) != valid}

    assert len(verdicts()) >= cases
    assert [text for text in differing if reason_to_differ(text) not in KNOWN_DIFFERENCES] == []
    assert {reason_to_differ(text) for text in differing} <= reasons


@needs_recordings
def test_a_look_alike_role_account_is_refused_or_becomes_ascii():
    names = json.loads((RECORDED / "role_accounts.json").read_text())
    local_parts = [*names["no_reply_local_parts"], *names["admin_lookalikes"]]
    accepted = [text for text in local_parts if is_accepted(f"{text}@example.org")]

    assert len(local_parts) > 1_000
    # Full-width letters and Roman numerals become the letters that they stand for.
    assert all(unicodedata.normalize("NFKC", text).isascii() for text in accepted)
    assert [text for text in local_parts if text.isascii() and text not in accepted] == []


@needs_recordings
def test_shared_mailboxes_are_accepted_and_programs_refused():
    names = json.loads((RECORDED / "role_accounts.json").read_text())
    plain = [text for text in names["no_reply_local_parts"] if text.isascii()]
    roles = [text for text in names["role_based_local_parts"] if text not in plain]

    def refused(local_parts: list[str]) -> set[str]:
        return {local for local in local_parts if is_role_account(f"{local}@example.org")}

    assert refused(roles) == {"abuse", "do_not_reply", "mailer-daemon"}
    assert {"no-reply", "noreply", "do-not-reply"} <= refused(plain)


@needs_recordings
def test_recorded_domains_are_already_normalised():
    [path] = RECORDED.glob("disposable_domains_*.txt")
    domains = [line.strip() for line in path.read_text().splitlines() if line.strip()]

    assert [
        domain
        for domain in domains
        if not domain.startswith("#") and normalise_address(f"a@{domain}") != f"a@{domain}"
    ] == []


def is_accepted(text: str) -> bool:
    try:
        normalise_address(text)
    except InvalidAddressError:
        return False
    return True


def is_role_account(email: str) -> bool:
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
