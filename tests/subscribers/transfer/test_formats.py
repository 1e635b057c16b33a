"""subscribers/transfer/formats.py"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.transfer import formats
from subscribers.transfer.formats import Layout, SkipReason

OWN_COLUMNS = ("email", "topics", "timezone", "asked_at", "confirmed_at")


def layout(header: str) -> Layout:
    detected = formats.detect_layout(header.split(","), OWN_COLUMNS)
    assert detected
    return detected


def skip_reason(header: str, line: str) -> SkipReason | None:
    return layout(header).skip_reason(dict(zip(header.split(","), line.split(","), strict=True)))


@pytest.mark.parametrize(
    ("header", "name", "fields"),
    [
        (
            "email address,first name,member_rating,optin_time,optin_ip,confirm_time,confirm_ip,"
            "gmtoff,dstoff,timezone,cc,region,last_changed,leid,euid,notes,tags",
            "Mailchimp",
            {
                "email": "email address",
                "asked_at": "optin_time",
                "confirmed_at": "confirm_time",
                "timezone": "timezone",
            },
        ),
        (
            "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
            "Substack",
            {"email": "email", "asked_at": "created_at"},
        ),
        (
            "id,email,notes,metadata,tags,type,creation_date,source",
            "Buttondown",
            {"email": "email", "asked_at": "creation_date"},
        ),
        (
            "email,subscriber_type,creation_date,tags,notes",
            "Buttondown",
            {"email": "email", "asked_at": "creation_date"},
        ),
        (
            "uuid,email,name,attributes,status,created_at,updated_at",
            "listmonk",
            {"email": "email", "asked_at": "created_at"},
        ),
        (
            "email,status,topics,asked_at,confirmed_at",
            "export_subscribers",
            {name: name for name in ("email", "topics", "asked_at", "confirmed_at")},
        ),
        ("name,e-mail", "custom list", {"email": "e-mail"}),
    ],
)
def test_a_format_is_detected_by_its_columns(header, name, fields):
    detected = layout(header)

    assert (detected.format.name, detected.column_by_field) == (name, fields)


def test_a_header_without_a_column_of_addresses_has_no_layout():
    assert formats.detect_layout(["name", "status"], OWN_COLUMNS) is None


MAILCHIMP = "email address,leid,unsub_time,clean_time"
SUBSTACK = "email,active_subscription,email_disabled"
BUTTONDOWN = "email,type,creation_date"
LISTMONK = "uuid,email,attributes,status"
GHOST = "id,email,subscribed_to_emails,deleted_at"


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        (MAILCHIMP, "a@b.org,1,,", None),
        (MAILCHIMP, "a@b.org,1,2025-01-01 10:00:00,", SkipReason.UNSUBSCRIBED),
        (MAILCHIMP, "a@b.org,1,,2025-01-01 10:00:00", SkipReason.CLEANED),
        (SUBSTACK, "a@b.org,false,false", None),
        (SUBSTACK, "a@b.org,true,true", SkipReason.DISABLED),
        (BUTTONDOWN, "a@b.org,regular,", None),
        (BUTTONDOWN, "a@b.org,premium,", None),
        (BUTTONDOWN, "a@b.org,unactivated,", SkipReason.UNCONFIRMED),
        (BUTTONDOWN, "a@b.org,unsubscribed,", SkipReason.UNSUBSCRIBED),
        (BUTTONDOWN, "a@b.org,complained,", SkipReason.COMPLAINED),
        (BUTTONDOWN, "a@b.org,undeliverable,", SkipReason.CLEANED),
        (BUTTONDOWN, "a@b.org,a new word,", SkipReason.UNCLEAR),
        (BUTTONDOWN, "a@b.org,,", SkipReason.UNCLEAR),
        (LISTMONK, "1,a@b.org,{},Enabled ", None),
        (LISTMONK, "1,a@b.org,{},blocklisted", SkipReason.BLOCKED),
        (LISTMONK, "1,a@b.org,{},disabled", SkipReason.DISABLED),
        (GHOST, "1,a@b.org,true,", None),
        (GHOST, "1,a@b.org,false,", SkipReason.UNSUBSCRIBED),
        (GHOST, "1,a@b.org,,", SkipReason.UNSUBSCRIBED),
        (GHOST, "1,a@b.org,true,2025-01-01", SkipReason.UNSUBSCRIBED),
        ("email,status,asked_at", "a@b.org,pending,", SkipReason.UNCONFIRMED),
        ("email,status,asked_at", "a@b.org,left,", SkipReason.UNSUBSCRIBED),
        ("email,status,asked_at", "a@b.org,active,", None),
    ],
)
def test_only_rows_that_are_certainly_active_are_imported(header, line, expected):
    assert skip_reason(header, line) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-05 14:22:01", datetime(2024, 3, 5, 14, 22, 1, tzinfo=UTC)),
        ("2024-03-05T14:22:01.000Z", datetime(2024, 3, 5, 14, 22, 1, tzinfo=UTC)),
        ("2024-03-05 16:22:01 +0200", datetime(2024, 3, 5, 14, 22, 1, tzinfo=UTC)),
        ("2024-03-05 14:22:01 +0000 UTC", datetime(2024, 3, 5, 14, 22, 1, tzinfo=UTC)),
        (" 2024-03-05 ", datetime(2024, 3, 5, tzinfo=UTC)),
        ("05/03/2024 14:22", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_only_unambiguous_times_are_parsed(text, expected):
    assert formats.parse_utc_datetime(text) == expected


@given(st.text(max_size=5))
def test_an_escaped_cell_is_no_formula_and_can_be_unescaped(text):
    cell = formats.escape_formula(text)

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert formats.unescape_formula(cell) == text
