"""What newsletter services call things in the lists that they export, and what their words mean.

Pure: no Django, no clock. Whatever a word may mean that is not known here, it is not a yes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Standing(StrEnum):
    """Why somebody in a list is not brought in; none for who may be."""

    UNSUBSCRIBED = "unsubscribed"
    UNCONFIRMED = "unconfirmed"
    CLEANED = "cleaned"
    COMPLAINED = "complained"
    BLOCKED = "blocked"
    DISABLED = "disabled"
    UNCLEAR = "of unclear status"


# Who gets mail today, by the word of any service. (Substack's and Buttondown's paying readers too.)
YES = {
    *("active", "confirmed", "enabled", "subscribed"),
    *("churned", "churning", "gifted", "past_due", "premium", "regular", "trialed"),
}
NO = {
    **dict.fromkeys(["left", "unsubscribed", "removed", "inactive"], Standing.UNSUBSCRIBED),
    **dict.fromkeys(["pending", "unactivated", "unconfirmed"], Standing.UNCONFIRMED),
    **dict.fromkeys(["bounced", "cleaned", "undeliverable"], Standing.CLEANED),
    "complained": Standing.COMPLAINED,
    **dict.fromkeys(["banned", "blocked", "blocklisted"], Standing.BLOCKED),
    "disabled": Standing.DISABLED,
}
FALSE, TRUE = {"", "0", "false", "f", "no", "n"}, {"1", "true", "t", "yes", "y"}
ADDRESSES = ("email", "email address", "email_address", "e-mail", "e-mail address", "mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How one service writes its lists, by the names of its columns in lower case."""

    name: str
    # A header with one of these, beside an address, is this service's.
    marks: frozenset[str] = frozenset()
    # Our field, and the columns that may hold it.
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # Columns with a word about the standing; and those in which anything but a no is a reason.
    status: Sequence[str] = ("status",)
    flags: Mapping[str, Standing] = field(default_factory=dict)
    # Columns in which only a yes is none.
    consents: Sequence[str] = ()


OWN_EXPORT = "our own export"
FORMATS = [
    Format(
        name="Mailchimp",
        marks=frozenset({"member_rating", "optin_time", "confirm_time", "leid", "euid"}),
        columns={
            "asked_at": ["optin_time"],
            "confirmed_at": ["confirm_time"],
            "timezone": ["timezone"],
        },
        flags={
            **dict.fromkeys(
                ["unsub_time", "unsub_campaign_title", "unsub_reason"], Standing.UNSUBSCRIBED
            ),
            **dict.fromkeys(["clean_time", "clean_campaign_title"], Standing.CLEANED),
        },
    ),
    # Its active_subscription says who pays, not who reads.
    Format(
        name="Substack",
        marks=frozenset({"active_subscription", "email_disabled"}),
        columns={"asked_at": ["created_at"]},
        flags={"email_disabled": Standing.DISABLED},
    ),
    Format(
        name="listmonk",
        marks=frozenset({"uuid", "attributes"}),
        columns={"asked_at": ["created_at"]},
        status=("status", "subscription_status"),
    ),
    Format(
        name="Buttondown",
        marks=frozenset({"subscriber_type", "creation_date", "type"}),
        columns={"asked_at": ["creation_date"]},
        status=("subscriber_type", "type"),
        flags={"unsubscription_date": Standing.UNSUBSCRIBED},
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the columns of one file are."""

    format: Format
    # Our field to the column that holds it.
    fields: Mapping[str, str]
    ignored: Sequence[str]

    @property
    def is_ours(self) -> bool:
        return self.format not in FORMATS

    def standing(self, line: Mapping[str, str]) -> Standing | None:
        """Why the person of a line is not brought in."""
        told = words(line, self.format.status)
        reasons = [NO.get(word) or Standing.UNCLEAR for word in told if word not in YES]
        for name, reason in self.format.flags.items():
            reasons += [reason for word in words(line, [name]) if word not in FALSE]
        told = words(line, self.format.consents)
        reasons += [Standing.UNSUBSCRIBED for word in told if word not in TRUE]
        return reasons[0] if reasons else None


def words(line: Mapping[str, str], columns: Sequence[str]) -> list[str]:
    return [line[name].strip().lower() for name in columns if name in line]


def layout(header: Sequence[str], own: Sequence[str]) -> Layout | None:
    """What a header says, in lower case; none if it names no address."""
    address = next((name for name in ADDRESSES if name in header), None)
    if address is None:
        return None
    found = next((each for each in FORMATS if each.marks.intersection(header)), ours(header, own))
    fields = {"email": address}
    for name, columns in found.columns.items():
        if column := next((each for each in columns if each in header), None):
            fields[name] = column
    used = {*fields.values(), *found.status, *found.flags, *found.consents}
    return Layout(
        format=found, fields=fields, ignored=[name for name in header if name not in used]
    )


def ours(header: Sequence[str], own: Sequence[str]) -> Format:
    """Our own columns: of an export, or of a list that somebody wrote.

    It may come from a service that is not known here (Ghost's has `subscribed_to_emails`), so what
    sounds like a no is one.
    """
    name = OWN_EXPORT if {"status", "asked_at"} <= set(header) else "a list with our columns"
    columns = {each: [each] for each in own if each != "email"}
    return Format(
        name=name,
        columns=columns,
        status=("status", "subscription_status", "email_status"),
        flags={
            **dict.fromkeys(
                ["unsubscribed", "unsubscribed_at", "deleted_at", "left_at"], Standing.UNSUBSCRIBED
            ),
            **dict.fromkeys(["bounced", "bounced_at"], Standing.CLEANED),
            **dict.fromkeys(["complained", "complained_at"], Standing.COMPLAINED),
        },
        consents=("subscribed", "subscribed_to_emails", "confirmed"),
    )


def moment(text: str) -> datetime | None:
    """When, as a service writes it; without a zone it is UTC. None if it is not sure."""
    tidy = re.sub(r"\s*\b(UTC|GMT)$", "", text.strip())
    try:
        read = datetime.fromisoformat(tidy)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# A cell that begins with one of these is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def guarded(cell: str) -> str:
    """So that no spreadsheet takes it for a formula; read back by bare()."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def bare(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
