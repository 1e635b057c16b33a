"""subscribers/management/commands/"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from subscribers import suppression
from subscribers.models import Subscriber, Suppression
from subscribers.signup import lifecycle
from tests import factories

pytestmark = pytest.mark.django_db

Status, Reason = Subscriber.Status, Subscriber.LeftReason
NOW = factories.NOW
HOUR = timedelta(hours=1)
ADA = "ada@example.org"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        factories.topic("robotics")
        factories.topic("speech")
        yield


@pytest.fixture
def run(capsys):
    """Return a function that runs a command and returns its output."""

    def run(name: str, *arguments: Any, **options: Any) -> str:
        call_command(name, *arguments, **options)
        return capsys.readouterr().out

    return run


def test_add_subscriber_can_be_repeated(run):
    options = ["--topics", "robotics,speech", "--timezone", "Asia/Tokyo", "--hour", "16"]

    first = run("add_subscriber", "Ada@Example.org", *options, "--confirmed")
    before = Subscriber.objects.values().get()
    second = run("add_subscriber", ADA, *options, "--confirmed")

    ada = Subscriber.objects.get()
    assert first == second == f"Added or updated: subscriber #{ada.pk} (active).\n"
    assert (ada.email, ada.next_digest_at) == (ADA, NOW + HOUR)
    assert ada.preferences.topics.count() == 2
    assert Subscriber.objects.values().get() == before


def test_add_subscriber_sends_one_confirmation_mail(
    run, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        run("add_subscriber", ADA)
        run("add_subscriber", ADA)

    [message] = mailoutbox
    assert (message.to, Subscriber.objects.get().status) == ([ADA], "pending")


def test_add_subscriber_accepts_numbers_from_python(run):
    run("add_subscriber", ADA, topics="robotics", hour=0, confirmed=True)

    assert Subscriber.objects.get().preferences.hour == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ada"], "An email address must have an @-sign."),
        ([ADA, "--topics", "astrology"], "Unknown topic 'astrology'."),
        ([ADA, "--timezone", "Berlin"], "Unknown time zone 'Berlin'"),
        ([ADA, "--hour", "25"], "The hour must be a number from 0 to 23, not '25'."),
        (["suppressed@example.org", "--confirmed"], "This address is suppressed"),
        (["left@example.org", "--confirmed"], "The subscriber has left"),
    ],
)
def test_add_subscriber_reports_invalid_arguments(run, arguments, sentence):
    suppression.suppress("suppressed@example.org", Suppression.Reason.BOUNCED, NOW)
    factories.subscriber(email="left@example.org", status=Status.LEFT)
    before = list(Subscriber.objects.values())

    with pytest.raises(CommandError, match=sentence):
        run("add_subscriber", *arguments)

    assert list(Subscriber.objects.values()) == before


def test_import_subscribers_adds_valid_rows_and_reports_invalid_lines(run, tmp_path, capsys):
    suppression.suppress("gone@example.org", Suppression.Reason.COMPLAINED, NOW)
    file = tmp_path / "readers.csv"
    lines = ["email,topics,timezone,hour", f"{ADA},robotics,Asia/Tokyo,16", "gone@example.org,,,"]
    lines += ["ben@example.org,astrology,,", "not an address,,,"]
    file.write_bytes("\ufeff".encode() + "\r\n".join(lines).encode())

    with pytest.raises(CommandError, match="Fix the lines listed above"):
        run("import_subscribers", file, "--confirmed")

    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == (
        "Imported: 1 added, 0 already known, 1 suppressed, 0 repeated, 2 invalid, "
        "1 added without a date."
    )
    assert printed.err.splitlines()[0] == "Line 4: Unknown topic 'astrology'."
    assert "Line 5: " in printed.err
    assert "ben@example.org" not in printed.err
    assert Subscriber.objects.get().email == ADA


def test_import_subscribers_can_be_repeated(run, tmp_path):
    file = tmp_path / "readers.csv"
    file.write_text(f"email\n{ADA}\nben@example.org\n")

    printed = [run("import_subscribers", file) for _ in range(2)]

    assert [text.splitlines()[-1] for text in printed] == [
        "Imported: 2 added, 0 already known, 0 suppressed, 0 repeated, 0 invalid, "
        "2 added without a date.",
        "Imported: 0 added, 2 already known, 0 suppressed, 0 repeated, 0 invalid.",
    ]
    assert {reader.status for reader in Subscriber.objects.all()} == {"pending"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "Could not read .*: No such file or directory."),
        (b"", "The first line must be a header"),
        (b"name,post\n", "The first line must be a header"),
        (b"email\n\x81\n", "The file is not text."),
        (b"\x89PNG\r\n\x1a\n\x00", "The file is not text."),
        ("email\n".encode("utf-16")[:-1], "The file is not text in UTF-8."),
    ],
)
def test_import_subscribers_reports_an_unreadable_file(run, tmp_path, content, sentence):
    file: Path = tmp_path / "readers.csv"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(CommandError, match=sentence):
        run("import_subscribers", file)

    assert not Subscriber.objects.exists()


def test_import_subscribers_describes_the_file_without_addresses(run, tmp_path, capsys):
    file = tmp_path / "members.csv"
    file.write_text(
        "Email Address,First Name,UNSUB_TIME,OPTIN_TIME,MEMBER_RATING,lin@example.org\n"
        f"{ADA},Ada,,2024-03-05 14:22:01,2,\n"
        "ben@example.org,Ben,2025-01-01 10:00:00,2024-03-05 14:22:01,2,\n"
        f"{ADA.upper()},Ada,,,,\n"
    )

    reports = [run("import_subscribers", file, "--confirmed", dry_run=dry) for dry in (True, False)]

    dry, real = (report.splitlines() for report in reports)
    assert dry[:-1] == real[:-1]
    assert dry[:-1] == [
        "Format: Mailchimp, with commas.",
        "Columns: email from “email address”, asked_at from “optin_time”.",
        "Ignored: “first name”, “member_rating”, “…”.",
        "Encoding: utf-8.",
    ]
    counts = "1 added, 0 already known, 0 suppressed, 1 repeated, 0 invalid, 1 unsubscribed."
    assert [dry[-1], real[-1]] == [
        f"Dry run, nothing written: {counts}",
        f"Imported: {counts}",
    ]
    assert [reader.email for reader in Subscriber.objects.all()] == [ADA]


def test_import_subscribers_redacts_an_address_in_the_wrong_column(run, tmp_path, capsys):
    file = tmp_path / "readers.csv"
    file.write_text("topics,email\nada@example.org,robotics\n")

    with pytest.raises(CommandError):
        run("import_subscribers", file)

    printed = capsys.readouterr()
    assert "Line 2: Unknown topic '…'." in printed.err
    assert "ada@" not in printed.out + printed.err


def test_export_subscriber_prints_json(run):
    ada = factories.subscriber(email=ADA, topics=["speech"])
    edition = factories.edition()
    factories.delivery(edition=edition, subscriber=ada)

    data = json.loads(run("export_subscriber", "Ada@example.org"))

    assert data["subscriber"]["email"] == ADA
    assert data["subscriber"]["public_id"] == str(ada.public_id)
    assert (data["topics"], data["suppressed"]) == ({"speech": "follow"}, False)
    assert [row["hour"] for row in data["preferences"]] == [7]
    assert [row["edition_id"] for row in data["deliveries"]] == [edition.pk]


def test_erase_subscriber_leaves_only_a_hash_and_can_be_repeated(run):
    ada = factories.subscriber(email=ADA, topics=["speech"])
    factories.delivery(edition=factories.edition(), subscriber=ada)

    first = run("erase_subscriber", ADA)
    second = run("erase_subscriber", ADA)

    assert first.startswith("Erased.")
    assert second.startswith("There was no subscriber with that address.")
    assert not Subscriber.objects.exists()
    assert [row.reason for row in Suppression.objects.all()] == ["erased"]
    assert suppression.is_suppressed(ADA)


def test_export_subscriber_rejects_an_unknown_address(run):
    with pytest.raises(CommandError, match="There is no subscriber with that address"):
        run("export_subscriber", ADA)


@pytest.mark.parametrize("name", ["export_subscriber", "erase_subscriber"])
def test_an_invalid_address_is_rejected(run, name):
    with pytest.raises(CommandError, match="must have an @-sign"):
        run(name, "ada")


def test_a_subscriber_who_left_can_be_exported(run):
    ada = factories.subscriber(email=ADA)
    lifecycle.leave(ada, Reason.COMPLAINED, NOW)

    assert json.loads(run("export_subscriber", ADA))["subscriber"]["left_reason"] == "complained"
