"""newsletter/management/commands/"""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from newsletter.editions import publish
from newsletter.models import Delivery, Edition
from papers.ingest import schedule
from subscribers.models import Subscriber
from tests import factories
from tests.newsletter.conftest import FakeProvider, refuse_with

pytestmark = pytest.mark.django_db(transaction=True)

State = Delivery.State


@pytest.fixture(autouse=True)
def morning() -> Any:
    with time_machine.travel(factories.NOW, tick=False) as traveller:
        yield traveller


def run(*arguments: str) -> str:
    """Run a command; return what it printed."""
    output = StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue().strip()


def todays_edition() -> Edition:
    return factories.edition(papers=[factories.paper(topics=["robotics"]) for _ in range(3)])


# publish_edition


def test_publish_edition_freezes_today_s_ranking_once() -> None:
    factories.paper(upvotes=3)

    assert run("publish_edition") == "Edition 2026-05-12 published: 1 papers."
    assert run("publish_edition") == "Edition 2026-05-12 was published before: 1 papers."


def test_publish_edition_of_a_past_day_uses_the_readings_of_that_day() -> None:
    paper = factories.paper(listed_on=factories.TODAY.replace(day=3))
    factories.reading(
        paper=paper, value=5, observed_at=publish.end_of_day(factories.TODAY.replace(day=3))
    )
    factories.reading(paper=paper, value=50)

    run("publish_edition", "--date", "2026-05-03")

    assert Edition.objects.get().entries.get().upvotes == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--date", "2026-05-13"], "is in the future"),
        (["--date", "yesterday"], "is not a date; write it as YYYY-MM-DD"),
        (["--date", "2026-02-30"], "is not a date; write it as YYYY-MM-DD"),
        ([], "There are no new papers"),
    ],
)
def test_publish_edition_explains_an_error(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("publish_edition", *arguments)


# deliver_edition


def test_deliver_edition_delivers_to_readers_who_are_due(mailbox_dir: Path) -> None:
    todays_edition()
    factories.subscriber(next_digest_at=factories.NOW)
    factories.subscriber(next_digest_at=None)

    assert run("deliver_edition") == "Edition 2026-05-12: 1 opened, 1 handed_over."
    assert run("deliver_edition") == "Edition 2026-05-12: 0 opened, nothing to hand over."
    assert len(list(mailbox_dir.glob("*.eml"))) == 1


def test_deliver_edition_to_everyone_ignores_send_times(mailbox_dir: Path) -> None:
    todays_edition()
    for _ in range(3):
        factories.subscriber(next_digest_at=None)

    assert run("deliver_edition", "--everyone").endswith("3 opened, 3 handed_over.")


def test_deliver_edition_changes_nothing_in_a_dry_run(mailbox_dir: Path) -> None:
    todays_edition()
    reader = factories.subscriber(next_digest_at=factories.NOW)

    assert run("deliver_edition", "--dry-run") == (
        "Edition 2026-05-12: would open 1 and hand over 1; nothing changed."
    )

    reader.refresh_from_db()
    assert reader.next_digest_at == factories.NOW
    assert not Delivery.objects.exists()
    assert Edition.objects.get().opened == 0
    assert not mailbox_dir.exists()


def test_deliver_edition_without_an_edition_names_the_command_to_publish_one() -> None:
    with pytest.raises(CommandError, match=r"manage\.py publish_edition --date 2026-05-12"):
        run("deliver_edition")


def test_deliver_edition_fails_while_sending_is_paused(
    provider: FakeProvider,
) -> None:
    edition = todays_edition()
    factories.subscriber(next_digest_at=factories.NOW)
    provider.before_accept = refuse_with(429, Retry_After="30")

    with pytest.raises(CommandError, match="Sending is paused"):
        run("deliver_edition")

    assert edition.deliveries.get().state == State.PENDING


# edition_receipt


def test_edition_receipt_balances(mailbox_dir: Path) -> None:
    todays_edition()
    factories.subscriber(next_digest_at=factories.NOW)
    factories.subscriber(next_digest_at=factories.NOW, topics=["speech"])
    run("deliver_edition")

    assert run("edition_receipt") == (
        "Edition 2026-05-12: 2 opened = 0 pending + 0 claimed + 1 handed_over + 0 failed + "
        "0 suppressed + 1 cancelled + 0 expired + 0 unknown (cancelled: 1 no_match)."
    )


def test_edition_receipt_prints_json() -> None:
    todays_edition()

    assert json.loads(run("edition_receipt", "--json")) == {
        "date": "2026-05-12",
        "opened": 0,
        **{state.value: 0 for state in State},
        "balances": True,
        "cancelled_because": {},
        "provider_reported": {},
        "active_readers_not_opened": 0,
    }


def test_edition_receipt_exits_with_1_when_an_outcome_is_unknown() -> None:
    edition = todays_edition()
    factories.delivery(
        edition=edition,
        subscriber=factories.subscriber(),
        state=State.UNKNOWN,
        batch=factories.batch(edition=edition),
        attempted_at=factories.NOW,
    )

    with pytest.raises(SystemExit) as exit_info:
        run("edition_receipt")

    assert exit_info.value.code == 1


# preview_digest


def test_preview_digest_writes_both_bodies_and_sends_nothing(
    mailbox_dir: Path, tmp_path: Path
) -> None:
    todays_edition()
    factories.subscriber(email="ada@example.org")
    html, text = tmp_path / "digest.html", tmp_path / "digest.txt"

    output = run("preview_digest", "ada@example.org", "--html", str(html), "--text", str(text))

    assert output.startswith("3 papers: ")
    assert "<html" in html.read_text()
    assert "A study of things" in text.read_text()
    assert not Delivery.objects.exists()
    assert not mailbox_dir.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody@example.org"], "There is no subscriber with that address"),
        (["not an address"], "There is no subscriber with that address"),
        (["ada@example.org", "--html", "/no/such/folder/x.html"], "Could not write"),
        (["ada@example.org", "--date", "2026-01-01"], "There is no edition of 2026-01-01"),
        (["other-topic@example.org"], "no paper that this reader follows"),
        (["high-minimum@example.org"], "whose minimum is 5"),
        (["new@example.org"], "A digest message is for active subscribers"),
    ],
)
def test_preview_digest_explains_an_error(arguments: list[str], message: str) -> None:
    todays_edition()
    factories.subscriber(email="ada@example.org")
    factories.subscriber(email="other-topic@example.org", topics=["speech"])
    factories.subscriber(email="high-minimum@example.org", preferences={"minimum": 5})
    factories.subscriber(email="new@example.org", status="pending")

    with pytest.raises(CommandError, match=message):
        run("preview_digest", *arguments)


# dispatch


def test_dispatch_opens_and_delivers_what_is_due_once(mailbox_dir: Path) -> None:
    schedule.mark_started("huggingface", now=factories.NOW)
    todays_edition()
    reader = factories.subscriber(next_digest_at=factories.NOW)

    output = run("dispatch")
    run("dispatch")

    assert output.startswith("Dispatched: 1 opened; 1 to hand over")
    assert reader.deliveries.get().state == State.HANDED_OVER
    assert len(list(mailbox_dir.glob("digest-*.eml"))) == 1


def test_dispatch_publishes_today_s_edition_and_delivers_it_at_the_next_tick(
    mailbox_dir: Path, morning: Any
) -> None:
    schedule.mark_started("huggingface", now=factories.NOW)
    factories.paper(upvotes=3)
    factories.subscriber(next_digest_at=factories.NOW)

    for _ in range(3):  # publish; open and deliver; nothing
        run("dispatch")
        morning.shift(60)

    assert Edition.objects.get().date == factories.TODAY
    assert Subscriber.objects.get().deliveries.get().state == State.HANDED_OVER
    assert len(list(mailbox_dir.glob("digest-*.eml"))) == 1
