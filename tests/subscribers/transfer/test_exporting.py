"""subscribers/transfer/exporting.py and its command"""

from __future__ import annotations

import csv
import io
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from subscribers.models import Consent, Subscriber
from subscribers.transfer import csv_reader, exporting
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
ADA = "ada@example.org"
PREFERENCES = {
    "hour": 9,
    "timezone": "Europe/Berlin",
    "length": 12,
    "detail": "titles",
    "frequency": "weekly",
    "weekday": 4,
    "minimum": 3,
    "paused_until": NOW.date(),
    "learning": False,
}


def ada(email: str = ADA, **fields: Any) -> Subscriber:
    reader = factories.subscriber(
        email=email,
        topics=["robotics", "speech"],
        attitudes={"vision": "prefer", "health": "mute"},
        follows=[
            ("author", "berg anna", "van der Berg, Anna Maria"),
            ("author", "lovelace ada", "Ada Lovelace"),
            ("keyword", "state space model", "State space models"),
            ("category", "cs.RO", "cs.RO"),
        ],
        preferences=PREFERENCES,
        **fields,
    )
    reader.consents.create(
        form="page", asked_at=NOW - timedelta(days=40), confirmed_at=reader.confirmed_at
    )
    return reader


def exported_rows(**options: Any) -> list[dict[str, str]]:
    file = io.StringIO(newline="")
    exporting.write_csv(file, **options)
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def test_a_row_holds_all_preferences_and_the_dates_of_consent():
    ada()

    assert exported_rows() == [
        {
            "email": ADA,
            "status": "active",
            "left_reason": "",
            "left_at": "",
            "topics": "robotics speech",
            "preferred": "vision",
            "muted": "health",
            "categories": "cs.RO;",
            "authors": "van der Berg, Anna Maria; Ada Lovelace;",
            "keywords": "State space models;",
            "timezone": "Europe/Berlin",
            "hour": "9",
            "frequency": "weekly",
            "weekday": "4",
            "length": "12",
            "detail": "titles",
            "minimum": "3",
            "paused_until": "2026-05-12",
            "learning": "no",
            "asked_at": "2026-04-02T06:00:00+00:00",
            "confirmed_at": "2026-04-12T06:00:00+00:00",
        }
    ]


def test_an_export_can_be_imported_without_loss(tmp_path):
    ada()
    ada("+formula@example.org")
    ada("=1+1@example.org")
    factories.subscriber(email="pending@example.org", status="pending")
    factories.subscriber(email="left@example.org", status="left")
    file = tmp_path / "readers.csv"
    call_command("export_subscribers", output=file)
    active = exported_rows(status="active")
    Subscriber.objects.all().delete()

    out = io.StringIO()
    call_command("import_subscribers", file, "--confirmed", stdout=out)

    assert exported_rows() == active
    assert [line["email"] for line in active] == [ADA, "'+formula@example.org", "'=1+1@example.org"]
    assert out.getvalue().splitlines()[-1] == (
        "Imported: 3 added, 0 already known, 0 suppressed, 0 repeated, 0 invalid, "
        "1 unconfirmed, 1 unsubscribed."
    )
    assert set(Consent.objects.values_list("form", flat=True)) == {"import"}


@pytest.mark.parametrize("prefix", ["=", "+", "-", "@", "'"])
def test_formulas_are_escaped(prefix):
    reader = factories.subscriber(email=ADA)
    reader.follows.create(kind="keyword", key="x", label=f"{prefix}HYPERLINK(1)")

    [line] = exported_rows()

    assert line["keywords"] == f"'{prefix}HYPERLINK(1);"


def test_an_export_can_be_restricted_to_a_status():
    ada()
    factories.subscriber(email="left@example.org", status="left")

    assert [line["email"] for line in exported_rows(status="left")] == ["left@example.org"]
    assert [line["left_reason"] for line in exported_rows(status="left")] == ["unsubscribed"]


def test_a_subscriber_without_preferences_is_exported():
    Subscriber.objects.create(email=ADA)

    assert [(line["email"], line["hour"]) for line in exported_rows()] == [(ADA, "")]


def test_each_page_needs_five_queries_and_nobody_is_missed(django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(exporting, "EXPORT_PAGE_SIZE", 2)
    for n in range(4):
        ada(f"reader{n}@example.org")

    with django_assert_num_queries(2 * 5 + 1):
        lines = exported_rows()

    assert [line["email"] for line in lines] == [f"reader{n}@example.org" for n in range(4)]


def test_the_file_is_private_and_replaced_as_a_whole(tmp_path, capsys):
    ada()
    file = tmp_path / "readers.csv"
    file.write_text("old")
    file.chmod(0o644)

    call_command("export_subscribers", output=file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().count("\n") == 2
    assert list(tmp_path.iterdir()) == [file]
    assert capsys.readouterr().out == f"Exported: 1 subscribers to {file}.\n"


def test_without_a_file_the_list_is_printed_and_the_count_goes_to_stderr(capsys):
    ada()

    call_command("export_subscribers")

    printed = capsys.readouterr()
    table = csv_reader.open_table(io.StringIO(printed.out, newline=""))
    assert len(list(table.lines)) == 1
    assert printed.err == "Exported: 1 subscribers.\n"


def test_an_unwritable_file_is_an_error(tmp_path):
    with pytest.raises(CommandError, match=r"Could not write .*: No such file or directory\."):
        call_command("export_subscribers", output=Path(tmp_path / "nowhere" / "readers.csv"))


def test_a_failure_leaves_the_file_unchanged(tmp_path, monkeypatch):
    file = tmp_path / "readers.csv"
    file.write_text("old")
    ada()
    monkeypatch.setattr(exporting, "FOLLOW_KIND_BY_COLUMN", None)

    with pytest.raises(AttributeError):
        call_command("export_subscribers", output=file)

    assert (file.read_text(), list(tmp_path.iterdir())) == ("old", [file])
