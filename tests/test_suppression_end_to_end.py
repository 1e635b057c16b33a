"""An address that must not be written to, on every path by which mail could leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from newsletter import tasks
from newsletter.delivery import handover, mailbox, schedule
from newsletter.models import Delivery, Edition
from papers.ingest import schedule as ingest_schedule
from subscribers import suppression
from subscribers import tasks as subscribers_tasks
from subscribers.models import Subscriber, Suppression
from subscribers.signup import lifecycle
from subscribers.transfer import import_rows, importing
from tests import factories

# Workers claim in transactions of their own.
pytestmark = pytest.mark.django_db(transaction=True)

NOW = factories.NOW
DAY = timedelta(days=1)
ADA = "ada@example.org"
State = Delivery.State


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.EMAIL_PROVIDER = "file"
    settings.EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    settings.HUGGINGFACE_URL = "http://127.0.0.1:9"  # the port of nobody
    with time_machine.travel(NOW, tick=False):
        ingest_schedule.mark_started("huggingface", now=NOW)  # and so nobody asks them meanwhile
        yield


@pytest.fixture(params=[Suppression.Reason.COMPLAINED, Suppression.Reason.UNREACHABLE])
def ada(request: Any) -> Subscriber:
    """The worst case: by some mistake her row still says that she wants mail."""
    ada = factories.subscriber(email=ADA, next_digest_at=NOW)
    suppression.suppress(ADA, request.param, NOW)
    return ada


@pytest.fixture
def edition() -> Edition:
    return factories.edition(papers=[factories.paper()])


def kinds() -> list[str]:
    return [mail.kind for mail in mailbox.list_messages()]


def by_her_hour(edition: Edition) -> None:
    schedule.open_due(now=NOW)


def by_hand(edition: Edition) -> None:
    schedule.open_unscheduled(edition, now=NOW)


def before_it_was_suppressed(edition: Edition) -> None:
    factories.delivery(edition=edition, subscriber=Subscriber.objects.get())


def again(edition: Edition) -> None:
    """An operator would rather send twice than not at all."""
    factories.delivery(
        edition=edition,
        subscriber=Subscriber.objects.get(),
        state=State.UNKNOWN,
        batch=factories.batch(edition=edition),
        attempted_at=NOW,
    )
    handover.send_again(Delivery.objects.all())


@pytest.mark.parametrize("opened", [by_her_hour, by_hand, before_it_was_suppressed, again])
def test_no_digest_leaves_however_it_was_opened(
    ada: Subscriber, edition: Edition, opened: Callable[[Edition], None]
) -> None:
    opened(edition)
    tasks.dispatch()

    assert [each.state for each in Delivery.objects.all()] == [State.SUPPRESSED]
    assert Edition.objects.get().opened == 1  # and the receipt balances
    assert kinds() == []


def test_the_commands_that_send_send_nothing(ada: Subscriber, edition: Edition) -> None:
    call_command("deliver_edition", everyone=True)
    call_command("dispatch")

    assert kinds() == []


def test_a_preview_says_why_there_is_none(ada: Subscriber, edition: Edition) -> None:
    with pytest.raises(CommandError, match="must not be written to"):
        call_command("preview_digest", ADA)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_no_list_brings_it_back(
    ada: Subscriber, tmp_path: Path, *, known: bool, confirmed: bool
) -> None:
    if not known:
        ada.delete()
    before = list(Subscriber.objects.values())
    (tmp_path / "list.csv").write_text(f"email\n{ADA}\n Ada@EXAMPLE.org \n")

    call_command("import_subscribers", tmp_path / "list.csv", confirmed=confirmed)
    with pytest.raises(CommandError, match="only its owner"):
        call_command("add_subscriber", ADA, confirmed=confirmed)
    with pytest.raises(import_rows.InvalidRowError):
        importing.add_or_update(import_rows.ImportRow(email=ADA), confirmed=confirmed, now=NOW)
    tasks.dispatch()

    assert list(Subscriber.objects.values()) == before
    assert kinds() == []


def ask_for_a_day() -> None:
    for hour in range(0, 24, 3):
        with time_machine.travel(NOW + hour * timedelta(hours=1), tick=False):
            for _ in range(2):
                Client().post("/subscribe/", factories.signup_form_data(ADA))
            subscribers_tasks.send_due_confirmations()


@pytest.mark.parametrize("row", ["left", "none"])
def test_who_asks_on_the_page_is_asked_to_confirm_once_a_day(ada: Subscriber, row: str) -> None:
    if row == "left":
        lifecycle.leave(ada, Subscriber.LeftReason.BOUNCED, NOW - DAY)
    else:
        ada.delete()

    ask_for_a_day()

    assert kinds() == ["confirmation"]
    assert suppression.is_suppressed(ADA)


def test_a_mistake_in_the_row_brings_no_mail(ada: Subscriber) -> None:
    ask_for_a_day()

    assert kinds() == []


@pytest.mark.parametrize(
    "reason", [Subscriber.LeftReason.UNSUBSCRIBED, Subscriber.LeftReason.COMPLAINED]
)
def test_no_button_but_the_one_in_their_own_mail_lifts_it(ada: Subscriber, reason: Any) -> None:
    lifecycle.leave(ada, reason, NOW)
    assert not lifecycle.rejoin(ada, NOW)
    assert suppression.is_suppressed(ADA)

    asked = lifecycle.request_confirmation(ADA, (), "", NOW)
    assert not lifecycle.rejoin(asked, NOW)
    assert suppression.is_suppressed(ADA)

    lifecycle.confirm(asked, NOW)
    assert not suppression.is_suppressed(ADA)
    assert Subscriber.objects.get().is_mailable
