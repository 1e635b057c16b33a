"""The mailbox folder: an email backend that writes each message as an .eml file, and its reader."""

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
    """The mailbox has no message of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message in the mailbox; a list of messages leaves out `text` and `html`."""

    name: str
    subject: str
    to: str
    kind: str
    sent_at: datetime
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    html: str = ""


class EmailBackend(BaseEmailBackend):
    """Writes messages to MAILBOX_DIR; a repeated Message-ID replaces its file."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        settings.MAILBOX_DIR.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            save_message(message)
        return len(email_messages)


def save_message(message: EmailMessage) -> Path:
    """Write a message, and its HTML body beside it; return the path of the .eml file."""
    sent = message.message()
    path = message_path(sent["Message-ID"])
    for content, kind in getattr(message, "alternatives", []):
        if kind == "text/html":
            write_atomically(path.with_suffix(".html"), str(content).encode())
    # Write the .eml last: `has` in providers/file.py takes it as proof that the message is complete.
    write_atomically(path, unfolded_bytes(sent))
    return path


def unfolded_bytes(message: ParsedMessage | Message) -> bytes:
    """Return the message with each header on one line, so that people can read it."""
    content = BytesIO()
    policy = message.policy.clone(linesep="\r\n", max_line_length=None)
    BytesGenerator(content, mangle_from_=False, policy=policy).flatten(message)
    return content.getvalue()


def message_path(message_id: str) -> Path:
    """Return the .eml path for a Message-ID; a name made of safe characters, inside MAILBOX_DIR."""
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
    """Return a message with its bodies; raise NoSuchMailError if there is none of this name."""
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
    """Return the first body of a text subtype ("plain" or "html"), or an empty string."""
    part = message.get_body(preferencelist=(subtype,))
    return part.get_content() if part else ""
