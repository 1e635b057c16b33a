"""newsletter/delivery/mailbox.py"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from newsletter.delivery import mailbox


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    return tmp_path / "mailbox"


def send(*, message_id: str = "<digest-1@example.org>", subject: str = "Today") -> None:
    message = EmailMultiAlternatives(
        subject,
        "Hello from Erdős",
        "Papers <papers@example.org>",
        ["ada@example.org"],
        headers={"Message-ID": message_id},
    )
    message.attach_alternative("<p>Hello from Erdős</p>", "text/html")
    message.send()


def test_a_message_is_stored_as_an_email_file_with_its_html_beside_it(folder: Path) -> None:
    send()

    assert sorted(path.name for path in folder.iterdir()) == ["digest-1.eml", "digest-1.html"]
    assert (folder / "digest-1.html").read_text() == "<p>Hello from Erdős</p>"


def test_a_stored_message_can_be_read(folder: Path) -> None:
    send(subject="Erdős and others")

    mail = mailbox.read_message("digest-1")

    assert mail.subject == "Erdős and others"
    assert (mail.to, mail.kind) == ("ada@example.org", "digest")
    assert (mail.text.strip(), mail.html.strip()) == (
        "Hello from Erdős",
        "<p>Hello from Erdős</p>",
    )


def test_a_repeated_message_id_replaces_the_file(folder: Path) -> None:
    send(subject="first")
    send(subject="second")

    [mail] = mailbox.list_messages()
    assert mail.subject == "second"


def test_the_newest_message_comes_first(folder: Path) -> None:
    for number in (1, 2, 3):
        send(message_id=f"<digest-{number}@example.org>")
        (folder / f"digest-{number}.eml").touch()

    assert [mail.name for mail in mailbox.list_messages(limit=2)] == ["digest-3", "digest-2"]


def test_a_mailbox_without_a_folder_is_empty() -> None:
    assert mailbox.list_messages() == []


@pytest.mark.parametrize(
    "name", ["", "nothing", "../secret_key", "..", ".hidden", "a/b", "a\x00b", "x" * 500]
)
def test_files_outside_the_mailbox_cannot_be_read(name: str, folder: Path) -> None:
    send()
    (folder.parent / "secret_key.eml").write_text("secret")

    with pytest.raises(mailbox.NoSuchMailError):
        mailbox.read_message(name)


@pytest.mark.parametrize(
    ("message_id", "name"),
    [
        ("<digest-2026-05-12-7@example.org>", "digest-2026-05-12-7.eml"),
        ("<../../etc/passwd@example.org>", "etc-passwd.eml"),
        ("<@example.org>", "message.eml"),
        (f"<{'x' * 900}@example.org>", f"{'x' * 150}.eml"),
    ],
)
def test_a_file_is_named_for_its_message_id_and_stays_in_the_folder(
    message_id: str, name: str, folder: Path
) -> None:
    assert mailbox.message_path(message_id) == folder / name
