"""What newsletter services call things in the lists that they export, and what their words mean.

Pure: no Django, no clock. Whatever a word may mean that is not known here, it is not a yes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class SkipReason(StrEnum):
    """Why somebody in a list is not brought in; none for who may be."""

    UNSUBSCRIBED = "unsubscribed"
    UNCONFIRMED = "unconfirmed"
    CLEANED = "cleaned"
    COMPLAINED = "complained"
    BLOCKED = "blocked"
    DISABLED = "disabled"
    UNCLEAR = "of unclear status"


# Who gets mail today, by the word of any service. (Substack's and Buttondown's paying readers too.)
ACTIVE_STATUSES = {
    *("active", "confirmed", "enabled", "subscribed"),
    *("churned", "churning", "gifted", "past_due", "premium", "regular", "trialed"),
}
INACTIVE_STATUSES = {
    **dict.fromkeys(["left", "unsubscribed", "removed", "inactive"], SkipReason.UNSUBSCRIBED),
    **dict.fromkeys(["pending", "unactivated", "unconfirmed"], SkipReason.UNCONFIRMED),
    **dict.fromkeys(["bounced", "cleaned", "undeliverable"], SkipReason.CLEANED),
    "complained": SkipReason.COMPLAINED,
    **dict.fromkeys(["banned", "blocked", "blocklisted"], SkipReason.BLOCKED),
    "disabled": SkipReason.DISABLED,
}
FALSE_VALUES, TRUE_VALUES = {"", "0", "false", "f", "no", "n"}, {"1", "true", "t", "yes", "y"}
EMAIL_COLUMNS = ("email", "email address", "email_address", "e-mail", "e-mail address", "mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How one service writes its lists, by the names of its columns in lower case."""

    name: str
    # A header with one of these, beside an address, is this service's.
    signature_columns: frozenset[str] = frozenset()
    # Our field, and the columns that may hold it.
    columns_by_field: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Columns with a word about the standing; and those in which anything but a no is a reason.
    status_columns: Sequence[str] = ("status",)
    skip_reason_by_column: Mapping[str, SkipReason] = field(default_factory=dict)
    # Columns in which only a yes is none.
    consent_columns: Sequence[str] = ()


OWN_EXPORT_NAME = "our own export"
VENDOR_FORMATS = [
    Format(
        name="Mailchimp",
        signature_columns=frozenset(
            {"member_rating", "optin_time", "confirm_time", "leid", "euid"}
        ),
        columns_by_field={
            "asked_at": ["optin_time"],
            "confirmed_at": ["confirm_time"],
            "timezone": ["timezone"],
        },
        skip_reason_by_column={
            **dict.fromkeys(
                ["unsub_time", "unsub_campaign_title", "unsub_reason"], SkipReason.UNSUBSCRIBED
            ),
            **dict.fromkeys(["clean_time", "clean_campaign_title"], SkipReason.CLEANED),
        },
    ),
    # Its active_subscription says who pays, not who reads.
    Format(
        name="Substack",
        signature_columns=frozenset({"active_subscription", "email_disabled"}),
        columns_by_field={"asked_at": ["created_at"]},
        skip_reason_by_column={"email_disabled": SkipReason.DISABLED},
    ),
    Format(
        name="listmonk",
        signature_columns=frozenset({"uuid", "attributes"}),
        columns_by_field={"asked_at": ["created_at"]},
        status_columns=("status", "subscription_status"),
    ),
    Format(
        name="Buttondown",
        signature_columns=frozenset({"subscriber_type", "creation_date", "type"}),
        columns_by_field={"asked_at": ["creation_date"]},
        status_columns=("subscriber_type", "type"),
        skip_reason_by_column={"unsubscription_date": SkipReason.UNSUBSCRIBED},
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the columns of one file are."""

    format: Format
    # Our field to the column that holds it.
    column_by_field: Mapping[str, str]
    ignored_columns: Sequence[str]

    @property
    def is_own_format(self) -> bool:
        return self.format not in VENDOR_FORMATS

    def skip_reason(self, line: Mapping[str, str]) -> SkipReason | None:
        """Why the person of a line is not brought in."""
        told = normalised_cells(line, self.format.status_columns)
        reasons = [
            INACTIVE_STATUSES.get(word) or SkipReason.UNCLEAR
            for word in told
            if word not in ACTIVE_STATUSES
        ]
        for name, reason in self.format.skip_reason_by_column.items():
            reasons += [
                reason for word in normalised_cells(line, [name]) if word not in FALSE_VALUES
            ]
        told = normalised_cells(line, self.format.consent_columns)
        reasons += [SkipReason.UNSUBSCRIBED for word in told if word not in TRUE_VALUES]
        return reasons[0] if reasons else None


def normalised_cells(line: Mapping[str, str], columns: Sequence[str]) -> list[str]:
    return [line[name].strip().lower() for name in columns if name in line]


def detect_layout(header: Sequence[str], own_columns: Sequence[str]) -> Layout | None:
    """What a header says, in lower case; none if it names no address."""
    address = next((name for name in EMAIL_COLUMNS if name in header), None)
    if address is None:
        return None
    found = next(
        (each for each in VENDOR_FORMATS if each.signature_columns.intersection(header)),
        own_format(header, own_columns),
    )
    fields = {"email": address}
    for name, columns in found.columns_by_field.items():
        if column := next((each for each in columns if each in header), None):
            fields[name] = column
    used = {
        *fields.values(),
        *found.status_columns,
        *found.skip_reason_by_column,
        *found.consent_columns,
    }
    return Layout(
        format=found,
        column_by_field=fields,
        ignored_columns=[name for name in header if name not in used],
    )


def own_format(header: Sequence[str], own_columns: Sequence[str]) -> Format:
    """Our own columns: of an export, or of a list that somebody wrote.

    It may come from a service that is not known here (Ghost's has `subscribed_to_emails`), so what
    sounds like a no is one.
    """
    name = OWN_EXPORT_NAME if {"status", "asked_at"} <= set(header) else "a list with our columns"
    columns = {each: [each] for each in own_columns if each != "email"}
    return Format(
        name=name,
        columns_by_field=columns,
        status_columns=("status", "subscription_status", "email_status"),
        skip_reason_by_column={
            **dict.fromkeys(
                ["unsubscribed", "unsubscribed_at", "deleted_at", "left_at"],
                SkipReason.UNSUBSCRIBED,
            ),
            **dict.fromkeys(["bounced", "bounced_at"], SkipReason.CLEANED),
            **dict.fromkeys(["complained", "complained_at"], SkipReason.COMPLAINED),
        },
        consent_columns=("subscribed", "subscribed_to_emails", "confirmed"),
    )


def parse_utc_datetime(text: str) -> datetime | None:
    """When, as a service writes it; without a zone it is UTC. None if it is not sure."""
    tidy = re.sub(r"\s*\b(UTC|GMT)$", "", text.strip())
    try:
        read = datetime.fromisoformat(tidy)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# A cell that begins with one of these is a formula to a spreadsheet.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "'")


def escape_formula(cell: str) -> str:
    """So that no spreadsheet takes it for a formula; read back by bare()."""
    return f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell


def unescape_formula(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_PREFIXES) else cell
