"""Column formats of other newsletter services' exports, and what their status values mean.

Pure: no Django, no clock. Guarantee: somebody whose status is not certainly active is skipped. Do
not relax that for unknown values: these people may not have agreed to get mail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class SkipReason(StrEnum):
    """Why a row of a list is not imported, as printed after a count."""

    UNSUBSCRIBED = "unsubscribed"
    UNCONFIRMED = "unconfirmed"
    CLEANED = "cleaned"
    COMPLAINED = "complained"
    BLOCKED = "blocked"
    DISABLED = "disabled"
    UNCLEAR = "with unknown status"


# Status values of any service for people who get mail. The second line is about paying readers at
# Substack and Buttondown.
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
    """The columns of one service's exports, in lower case."""

    name: str
    # A header with one of these and a column of addresses belongs to this service.
    signature_columns: frozenset[str] = frozenset()
    # Our field names, and the columns that may hold them, the preferred one first.
    columns_by_field: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Columns with a status: any value that is not in ACTIVE_STATUSES skips the row.
    status_columns: Sequence[str] = ("status",)
    # Columns in which any value that is not in FALSE_VALUES skips the row.
    skip_reason_by_column: Mapping[str, SkipReason] = field(default_factory=dict)
    # Columns in which any value that is not in TRUE_VALUES skips the row.
    consent_columns: Sequence[str] = ()


OWN_EXPORT_NAME = "export_subscribers"
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
    # active_subscription means a paid subscription: do not use it as a status.
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
    """The columns of one file."""

    format: Format
    # Our field names, and the columns that hold them.
    column_by_field: Mapping[str, str]
    ignored_columns: Sequence[str]

    @property
    def is_own_format(self) -> bool:
        return self.format not in VENDOR_FORMATS

    def skip_reason(self, cell_by_column: Mapping[str, str]) -> SkipReason | None:
        """Return the first reason not to import a row, or None if it is certainly active."""
        reasons = [
            INACTIVE_STATUSES.get(status) or SkipReason.UNCLEAR
            for status in normalised_cells(cell_by_column, self.format.status_columns)
            if status not in ACTIVE_STATUSES
        ]
        for column, reason in self.format.skip_reason_by_column.items():
            values = normalised_cells(cell_by_column, [column])
            reasons += [reason for value in values if value not in FALSE_VALUES]
        consents = normalised_cells(cell_by_column, self.format.consent_columns)
        reasons += [SkipReason.UNSUBSCRIBED for value in consents if value not in TRUE_VALUES]
        return reasons[0] if reasons else None


def normalised_cells(cell_by_column: Mapping[str, str], columns: Sequence[str]) -> list[str]:
    return [
        cell_by_column[column].strip().lower() for column in columns if column in cell_by_column
    ]


def detect_layout(header: Sequence[str], own_columns: Sequence[str]) -> Layout | None:
    """Return the layout for a header in lower case; None if it has no column of addresses."""
    email_column = next((column for column in EMAIL_COLUMNS if column in header), None)
    if email_column is None:
        return None
    detected = next(
        (vendor for vendor in VENDOR_FORMATS if vendor.signature_columns.intersection(header)),
        own_format(header, own_columns),
    )
    column_by_field = {"email": email_column}
    for name, columns in detected.columns_by_field.items():
        if column := next((column for column in columns if column in header), None):
            column_by_field[name] = column
    used_columns = {
        *column_by_field.values(),
        *detected.status_columns,
        *detected.skip_reason_by_column,
        *detected.consent_columns,
    }
    return Layout(
        format=detected,
        column_by_field=column_by_field,
        ignored_columns=[column for column in header if column not in used_columns],
    )


def own_format(header: Sequence[str], own_columns: Sequence[str]) -> Format:
    """Return the format of our own columns: an export of ours, or a custom list.

    A custom list may come from a service without a format here (Ghost has `subscribed_to_emails`),
    so usual names of columns for people who left are honoured.
    """
    is_own_export = {"status", "asked_at"} <= set(header)
    return Format(
        name=OWN_EXPORT_NAME if is_own_export else "custom list",
        columns_by_field={column: [column] for column in own_columns if column != "email"},
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
    """Parse an ISO 8601 date or time, in UTC unless it has an offset; None if it is anything else.

    Do not accept other formats: 05/03/24 is ambiguous, and the result is proof of consent.
    """
    iso_text = re.sub(r"\s*\b(UTC|GMT)$", "", text.strip())
    try:
        moment = datetime.fromisoformat(iso_text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# Spreadsheets run a cell that begins with one of these as a formula. The apostrophe is here because
# it is the escape character.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "'")


def escape_formula(cell: str) -> str:
    """Prefix a cell that a spreadsheet would run as a formula; undone by `unescape_formula`."""
    return f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell


def unescape_formula(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_PREFIXES) else cell
