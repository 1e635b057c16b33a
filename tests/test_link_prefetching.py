"""A program that opens every link in a mail, as filters and previews do: it changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as project
from django.test import Client

from newsletter import tasks
from newsletter.delivery import mailbox, schedule
from papers.ingest import schedule as ingest_schedule
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.signup import lifecycle
from tests import factories

# Workers claim in transactions of their own.
pytestmark = pytest.mark.django_db(transaction=True)

NOW = factories.NOW


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.EMAIL_PROVIDER = "file"
    settings.EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
    settings.MAILBOX_DIR = tmp_path
    settings.HUGGINGFACE_URL = "http://127.0.0.1:9"  # the port of nobody
    with time_machine.travel(NOW, tick=False):
        ingest_schedule.mark_started("huggingface", now=NOW)
        yield


def every_table() -> dict[str, list[Any]]:
    return {
        model._meta.db_table: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models(include_auto_created=True)
    }


def addresses(mail: mailbox.Mail) -> set[str]:
    """Every address of ours in a mail: in its headers, its text and its HTML."""
    headers = " ".join(value for _, value in mail.headers)
    whole = f"{headers} {mail.text} {mail.html}".replace("&amp;", "&")
    found = re.findall(rf"{re.escape(project.SITE_URL)}([^\s<>\"']*)", whole)
    return {address.rstrip(".,)") or "/" for address in found}


def sent(kind: str) -> mailbox.Mail:
    [mail] = [
        mailbox.read_message(mail.name) for mail in mailbox.list_messages() if mail.kind == kind
    ]
    return mail


def confirmation() -> mailbox.Mail:
    lifecycle.request_confirmation("ada@example.org", (), "", NOW)
    tasks.dispatch()
    return sent("confirmation")


def digest() -> mailbox.Mail:
    reader = factories.subscriber(email="ada@example.org", topics=["robotics"])
    edition = factories.edition(papers=[factories.paper(topics=["robotics"]) for _ in range(3)])
    schedule.open_unscheduled(edition, now=NOW, subscriber_ids=[reader.pk])
    tasks.deliver(edition.pk)
    return sent("digest")


def already() -> mailbox.Mail:
    factories.subscriber(email="ada@example.org")
    lifecycle.request_confirmation("ada@example.org", (), "", NOW)
    tasks.dispatch()
    return sent("already")


MAILS = {
    "confirmation": (confirmation, {"confirm", "unsubscribe"}),
    "already": (already, {"preferences", "unsubscribe"}),
    "digest": (digest, {"preferences", "unsubscribe", "papers", "editions"}),
}


@pytest.mark.parametrize("kind", MAILS)
def test_opening_every_link_changes_nothing(kind: str) -> None:
    write, expected = MAILS[kind]
    found = addresses(write())
    assert {address.split("/")[1] for address in found} >= expected
    before = every_table()

    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        for address in sorted(found):
            for method in ("get", "head", "options", "get"):
                browser = Client(enforce_csrf_checks=True)
                answer = getattr(browser, method)(address)
                assert answer.status_code in ({200, 405} if method == "options" else {200}), address
                assert answer.cookies == {}

    assert every_table() == before


def test_the_pages_that_only_take_a_post_say_so_and_change_nothing() -> None:
    ada = factories.subscriber()
    paths = [
        f"/{each}/{links.signed_token(each, ada)}/"
        for each in (Purpose.RESUBSCRIBE, Purpose.EXIT_SURVEY)
    ]
    before = every_table()

    answers = {
        getattr(Client(), method)(path).status_code for path in paths for method in ("get", "head")
    }

    assert answers == {405}
    assert every_table() == before
