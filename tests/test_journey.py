"""One reader, from the first visit to the last: the only test that crosses everything."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from newsletter import tasks
from newsletter.delivery import mailbox
from newsletter.models import Delivery
from papers.ingest import schedule
from subscribers.models import Subscriber
from tests import factories

DAY = date(2026, 5, 12)
EIGHT = datetime(2026, 5, 12, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_PROVIDER = "file"
    settings.EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
    settings.MAILBOX_DIR = tmp_path
    settings.HUGGINGFACE_URL = "http://127.0.0.1:9"


def sent(kind: str) -> list[mailbox.Mail]:
    return [
        mailbox.read_message(mail.name) for mail in mailbox.list_messages() if mail.kind == kind
    ]


def link(mail: mailbox.Mail, purpose: str) -> str:
    """The path of a link in the text of a mail."""
    found = re.search(rf"https?://[^/\s]+(/{purpose}/[^\s>]+)", mail.text)
    assert found, mail.text
    return found[1]


def header(mail: mailbox.Mail, name: str) -> str:
    return dict(mail.headers)[name]


@pytest.mark.django_db(transaction=True)
def test_join_confirm_read_choose_leave_and_silence() -> None:
    browser = Client()
    # The sources were asked just now, and nobody asks them again meanwhile.
    schedule.mark_started("huggingface", now=EIGHT + timedelta(days=3))
    robots = factories.paper(title="Robots that fold", topics=["robotics"], upvotes=40)
    factories.paper(title="Voices that sing", topics=["speech"], upvotes=90)

    with time_machine.travel(EIGHT - timedelta(hours=2), tick=False):
        # She leaves her address on the page, and is asked to confirm.
        form = factories.signup_form_data(topics=["robotics"], timezone="UTC")
        assert browser.post("/subscribe/", form).status_code in {302, 303}
        tasks.dispatch()
        [confirmation] = sent("confirmation")
        assert confirmation.to == "ada@example.org"

        # Opening the link changes nothing; pressing the button does.
        confirm = link(confirmation, "confirm")
        assert browser.get(confirm).status_code == 200
        assert Subscriber.objects.get().status == Subscriber.Status.PENDING
        preferences = browser.post(confirm).headers["Location"]
        assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE

    with time_machine.travel(EIGHT - timedelta(hours=1, seconds=-5), tick=False):
        # In the morning, the edition and one digest of her topic: even if dispatch runs twice.
        call_command("publish_edition")
        tasks.dispatch()
        tasks.dispatch()
        [digest] = sent("digest")
        assert "Robots that fold" in digest.text
        assert "Voices that sing" not in digest.text

        # She follows another topic instead.
        page = browser.get(preferences)
        assert page.status_code == 200
        chosen = {
            "attitudes-speech": "follow",
            "length": "5",
            "minimum": "1",
            "detail": "short",
            "frequency": "daily",
            "weekday": "0",
            "hour": "7",
            "timezone": "UTC",
        }
        assert browser.post(preferences, chosen).status_code in {200, 302, 303}

    with time_machine.travel(EIGHT + timedelta(hours=23), tick=False):
        # The next edition differs, and repeats nothing.
        factories.paper(title="Whispers", topics=["speech"], listed_on=DAY, upvotes=7)
        factories.paper(title="More robots", topics=["robotics"], listed_on=DAY, upvotes=8)
        call_command("publish_edition")
        tasks.dispatch()
        tomorrow = next(mail for mail in sent("digest") if "2026-05-13" in mail.name)
        assert "Whispers" in tomorrow.text
        assert "robots" not in tomorrow.text.lower()

        # Her mail program unsubscribes her with one click: no cookie, no redirect.
        url = header(tomorrow, "List-Unsubscribe").strip("<>").split(">")[0]
        path = url.split("://", 1)[1].partition("/")[2]
        answer = Client(enforce_csrf_checks=True).post(
            f"/{path}",
            "List-Unsubscribe=One-Click",
            content_type="application/x-www-form-urlencoded",
        )
        assert (answer.status_code, answer.cookies) == (200, {})

    with time_machine.travel(EIGHT + timedelta(hours=47), tick=False):
        # And then there is silence.
        factories.paper(title="Shouts", topics=["speech"], listed_on=date(2026, 5, 13), upvotes=9)
        call_command("publish_edition")
        tasks.dispatch()
        assert len(sent("digest")) == 2
        assert Delivery.objects.filter(state=Delivery.State.HANDED_OVER).count() == 2
        assert robots.entry.edition.date == DAY
