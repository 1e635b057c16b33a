"""A suppressed address gets no mail, on every path by which mail could be sent."""

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
    settings.HUGGINGFACE_URL = "http://127.0.0.1:9"  # nothing listens there
    with time_machine.travel(NOW, tick=False):
        ingest_schedule.mark_started("huggingface", now=NOW)  # so no tick fetches from it
        yield


@pytest.fixture(params=[Suppression.Reason.COMPLAINED, Suppression.Reason.UNREACHABLE])
def ada(request: Any) -> Subscriber:
    """Return a suppressed reader whose row still says active: the worst case."""
    ada = factories.subscriber(email=ADA, next_digest_at=NOW)
    suppression.suppress(ADA, request.param, NOW)
    return ada


@pytest.fixture
def edition() -> Edition:
    return factories.edition(papers=[factories.paper()])


def kinds() -> list[str]:
    return [mail.kind for mail in mailbox.list_messages()]


def open_on_schedule(edition: Edition) -> None:
    schedule.open_due(now=NOW)


def open_unscheduled(edition: Edition) -> None:
    schedule.open_unscheduled(edition, now=NOW)


def open_before_the_suppression(edition: Edition) -> None:
    factories.delivery(edition=edition, subscriber=Subscriber.objects.get())


def send_again(edition: Edition) -> None:
    factories.delivery(
        edition=edition,
        subscriber=Subscriber.objects.get(),
        state=State.UNKNOWN,
        batch=factories.batch(edition=edition),
        attempted_at=NOW,
    )
    handover.send_again(Delivery.objects.all())


@pytest.mark.parametrize(
    "open_delivery", [open_on_schedule, open_unscheduled, open_before_the_suppression, send_again]
)
def test_no_digest_is_sent_however_its_delivery_was_opened(
    ada: Subscriber, edition: Edition, open_delivery: Callable[[Edition], None]
) -> None:
    open_delivery(edition)
    tasks.dispatch()

    assert [delivery.state for delivery in Delivery.objects.all()] == [State.SUPPRESSED]
    assert Edition.objects.get().opened == 1  # so the receipt balances
    assert kinds() == []


def test_the_sending_commands_send_nothing(ada: Subscriber, edition: Edition) -> None:
    call_command("deliver_edition", everyone=True)
    call_command("dispatch")

    assert kinds() == []


def test_the_preview_command_says_why_there_is_no_digest(ada: Subscriber, edition: Edition) -> None:
    with pytest.raises(CommandError, match="This address is suppressed"):
        call_command("preview_digest", ADA)


@pytest.mark.parametrize("confirmed", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_no_import_reactivates_the_address(
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


def sign_up_repeatedly_for_a_day() -> None:
    for hour in range(0, 24, 3):
        with time_machine.travel(NOW + hour * timedelta(hours=1), tick=False):
            for _ in range(2):
                Client().post("/subscribe/", factories.signup_form_data(ADA))
            subscribers_tasks.send_due_confirmations()


@pytest.mark.parametrize("row", ["left", "none"])
def test_signing_up_again_sends_one_confirmation_a_day(ada: Subscriber, row: str) -> None:
    if row == "left":
        lifecycle.leave(ada, Subscriber.LeftReason.BOUNCED, NOW - DAY)
    else:
        ada.delete()

    sign_up_repeatedly_for_a_day()

    assert kinds() == ["confirmation"]
    assert suppression.is_suppressed(ADA)


def test_an_active_row_of_a_suppressed_address_gets_no_mail(ada: Subscriber) -> None:
    sign_up_repeatedly_for_a_day()

    assert kinds() == []


@pytest.mark.parametrize(
    "reason", [Subscriber.LeftReason.UNSUBSCRIBED, Subscriber.LeftReason.COMPLAINED]
)
def test_only_the_button_in_a_confirmation_mail_lifts_a_suppression(
    ada: Subscriber, reason: Any
) -> None:
    lifecycle.leave(ada, reason, NOW)
    assert not lifecycle.rejoin(ada, NOW)
    assert suppression.is_suppressed(ADA)

    pending = lifecycle.request_confirmation(ADA, (), "", NOW)
    assert not lifecycle.rejoin(pending, NOW)
    assert suppression.is_suppressed(ADA)

    lifecycle.confirm(pending, NOW)
    assert not suppression.is_suppressed(ADA)
    assert Subscriber.objects.get().is_mailable
