"""The development mailbox: each message is an .eml file in a folder, with its HTML beside it."""

from __future__ import annotations

import email
import email.policy
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.generator import BytesGenerator
from email.message import EmailMessage as ParsedMessage
from email.message import Message
from io import BytesIO
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

MESSAGE_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


class NoSuchMailError(Exception):
    """The mailbox holds no message of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    name: str
    subject: str
    to: str
    kind: str
    sent_at: datetime
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    html: str = ""


class EmailBackend(BaseEmailBackend):
    """Write messages to MAILBOX_DIR; a repeated Message-ID overwrites its file."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        settings.MAILBOX_DIR.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            save_message(message)
        return len(email_messages)


def save_message(message: EmailMessage) -> Path:
    sent = message.message()
    path = message_path(sent["Message-ID"])
    for content, kind in getattr(message, "alternatives", []):
        if kind == "text/html":
            write_atomically(path.with_suffix(".html"), str(content).encode())
    # Write the .eml last: if it exists, the message is complete.
    write_atomically(path, unfolded_bytes(sent))
    return path


def unfolded_bytes(message: ParsedMessage | Message) -> bytes:
    """Return the message as bytes, with each header on one line for a person to read."""
    content = BytesIO()
    policy = message.policy.clone(linesep="\r\n", max_line_length=None)
    BytesGenerator(content, mangle_from_=False, policy=policy).flatten(message)
    return content.getvalue()


def message_path(message_id: str) -> Path:
    """Return the file of a Message-ID; it is derived from the id, so a repeat overwrites it."""
    local = message_id.strip().strip("<>").rpartition("@")[0]
    name = re.sub(r"[^A-Za-z0-9._-]", "-", local).lstrip(".-")[:150] or "message"
    return settings.MAILBOX_DIR / f"{name}.eml"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file completely or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)


def list_messages(*, limit: int = 200) -> list[Mail]:
    """Return the newest messages first, without their bodies."""
    paths = [
        path
        for path in settings.MAILBOX_DIR.glob("*.eml")
        if MESSAGE_NAME_PATTERN.fullmatch(path.stem)
    ]
    paths.sort(key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
    return [parse_message(path, with_bodies=False) for path in paths[:limit]]


def read_message(name: str) -> Mail:
    path = settings.MAILBOX_DIR / f"{name}.eml"
    if not MESSAGE_NAME_PATTERN.fullmatch(name) or not path.is_file():
        raise NoSuchMailError(name)
    return parse_message(path, with_bodies=True)


def parse_message(path: Path, *, with_bodies: bool) -> Mail:
    with path.open("rb") as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    return Mail(
        name=path.stem,
        subject=str(message["Subject"]),
        to=str(message["To"]),
        kind=path.stem.partition("-")[0],
        sent_at=datetime.fromtimestamp(path.stat().st_mtime, tz=UTC),
        headers=tuple((key, str(value)) for key, value in message.items()),
        text=body_content(message, "plain") if with_bodies else "",
        html=body_content(message, "html") if with_bodies else "",
    )


def body_content(message: ParsedMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    return part.get_content() if part else ""
