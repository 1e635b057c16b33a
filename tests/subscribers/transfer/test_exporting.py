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
WANTED = {
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
        preferences=WANTED,
        **fields,
    )
    reader.consents.create(
        form="page", asked_at=NOW - timedelta(days=40), confirmed_at=reader.confirmed_at
    )
    return reader


def written(**options: Any) -> list[dict[str, str]]:
    file = io.StringIO(newline="")
    exporting.write_csv(file, **options)
    return list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))


def test_a_line_says_all_that_was_chosen_and_when_they_said_yes():
    ada()

    assert written() == [
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


def test_our_own_export_comes_back_as_it_was(tmp_path):
    ada()
    ada("+formula@example.org")
    ada("=1+1@example.org")
    factories.subscriber(email="pending@example.org", status="pending")
    factories.subscriber(email="left@example.org", status="left")
    file = tmp_path / "readers.csv"
    call_command("export_subscribers", output=file)
    active = written(status="active")
    Subscriber.objects.all().delete()

    out = io.StringIO()
    call_command("import_subscribers", file, "--confirmed", stdout=out)

    assert written() == active
    assert [line["email"] for line in active] == [ADA, "'+formula@example.org", "'=1+1@example.org"]
    assert out.getvalue().splitlines()[-1] == (
        "Imported: 3 added, 0 known already, 0 suppressed, 0 repeated, 0 not understood, "
        "1 unconfirmed, 1 unsubscribed."
    )
    assert set(Consent.objects.values_list("form", flat=True)) == {"import"}


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "'"])
def test_no_cell_is_a_formula(begin):
    reader = factories.subscriber(email=ADA)
    reader.follows.create(kind="keyword", key="x", label=f"{begin}HYPERLINK(1)")

    [line] = written()

    assert line["keywords"] == f"'{begin}HYPERLINK(1);"


def test_those_of_one_status_can_be_asked_for():
    ada()
    factories.subscriber(email="left@example.org", status="left")

    assert [line["email"] for line in written(status="left")] == ["left@example.org"]
    assert [line["left_reason"] for line in written(status="left")] == ["unsubscribed"]


def test_who_never_chose_is_in_the_list_too():
    Subscriber.objects.create(email=ADA)

    assert [(line["email"], line["hour"]) for line in written()] == [(ADA, "")]


def test_a_page_costs_the_same_however_many_and_nobody_is_missed(
    django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(exporting, "EXPORT_PAGE_SIZE", 2)
    for n in range(4):
        ada(f"reader{n}@example.org")

    with django_assert_num_queries(2 * 5 + 1):
        lines = written()

    assert [line["email"] for line in lines] == [f"reader{n}@example.org" for n in range(4)]


def test_the_file_is_for_its_owner_only_and_replaced_as_a_whole(tmp_path, capsys):
    ada()
    file = tmp_path / "readers.csv"
    file.write_text("old")
    file.chmod(0o644)

    call_command("export_subscribers", output=file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().count("\n") == 2
    assert list(tmp_path.iterdir()) == [file]
    assert capsys.readouterr().out == f"Exported: 1 subscribers to {file}.\n"


def test_without_a_file_the_list_is_printed_and_its_count_is_not_in_it(capsys):
    ada()

    call_command("export_subscribers")

    printed = capsys.readouterr()
    table = csv_reader.open_table(io.StringIO(printed.out, newline=""))
    assert len(list(table.lines)) == 1
    assert printed.err == "Exported: 1 subscribers.\n"


def test_what_cannot_be_written_is_told_in_a_sentence(tmp_path):
    with pytest.raises(CommandError, match=r"Could not write .*: No such file or directory\."):
        call_command("export_subscribers", output=Path(tmp_path / "nowhere" / "readers.csv"))


def test_a_failure_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    file = tmp_path / "readers.csv"
    file.write_text("old")
    ada()
    monkeypatch.setattr(exporting, "FOLLOW_KIND_BY_COLUMN", None)

    with pytest.raises(AttributeError):
        call_command("export_subscribers", output=file)

    assert (file.read_text(), list(tmp_path.iterdir())) == ("old", [file])
