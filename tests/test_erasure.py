"""Export, erase, and the same person in a list again: nothing is left, and they are not written to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client

from newsletter.delivery import handover, schedule
from subscribers import bounces, suppression
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Subscriber, UnsubscribeFeedback
from subscribers.preferences import feedback
from subscribers.preferences.feedback import FeedbackAction
from subscribers.signup import lifecycle
from tests import factories

# Workers claim in transactions of their own.
pytestmark = pytest.mark.django_db(transaction=True)

NOW = factories.NOW
EMAIL = "zephyrine.quillfeather@example.org"
PARTS = ["zephyrine", "quillfeather", "xylographology"]
BASIC = "Basic dXNlcm5hbWU6cGFzc3dvcmQ="


@pytest.fixture(autouse=True)
def _now_and_folder(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.EMAIL_PROVIDER = "file"
    settings.EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    settings.ANYMAIL = {"WEBHOOK_SECRET": "username:password"}
    settings.CONSENT_IP = True
    with time_machine.travel(NOW, tick=False):
        yield


def cells() -> Iterator[tuple[str, str]]:
    """Every value of every column of every table, as text."""
    for model in apps.get_models(include_auto_created=True, include_swapped=True):
        for row in model._base_manager.all():
            for field in model._meta.concrete_fields:
                where = f"{model._meta.db_table}.{field.column}"
                yield where, as_text(getattr(row, field.attname))
    for session in Session.objects.all():
        yield "django_session.decoded", json.dumps(session.get_decoded(), default=str)


def as_text(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, default=str)


def traces(of: list[str]) -> set[str]:
    """The columns that hold any of these, however it is written."""
    return {where for where, text in cells() if any(each in text.lower() for each in of)}


def post(kind: str, **fields: Any) -> None:
    told = {"RecordType": kind, "MessageID": "m-1", "Recipient": EMAIL, "Email": EMAIL} | fields
    answer = Client().post(
        "/webhooks/postmark/tracking/",
        json.dumps(told),
        content_type="application/json",
        headers={"authorization": BASIC},
    )
    assert answer.status_code == 200


def lived_here() -> Subscriber:
    """Somebody who used everything there is: the pages, the mails, and what providers tell."""
    browser = Client(REMOTE_ADDR="192.0.2.77")
    browser.post("/subscribe/", factories.signup_form_data(EMAIL))
    reader = Subscriber.objects.get()
    browser.post(f"/confirm/{links.signed_token(Purpose.CONFIRM, reader)}/")
    paper = factories.paper(topics=["robotics"])
    edition = factories.edition(papers=[paper])
    reader.preferences.topic_choices.create(topic=factories.topic("robotics"), attitude="prefer")
    reader.follows.create(kind="keyword", key="xylographology", label="Xylographology")
    browser.post(
        feedback.action_url(reader, FeedbackAction.MORE, paper.pk).removeprefix(
            "http://localhost:8000"
        )
    )
    schedule.open_unscheduled(edition, now=NOW, subscriber_ids=[reader.pk])
    handover.deliver(edition, clock=lambda: NOW, until=NOW)
    told = {"delivery": str(reader.deliveries.get().pk), "edition": str(edition)}
    told |= {"subscriber": str(reader.public_id)}
    post("Bounce", Type="Transient", BouncedAt=NOW.isoformat(), Metadata=told)
    post("Delivery", DeliveredAt=NOW.isoformat(), Metadata=told, Tag="<odd>")
    bounces.record_soft_bounce(reader, "m-2", happened_at=NOW, now=NOW)
    UnsubscribeFeedback.objects.create(reason="other", words=f"Bye, {EMAIL}", said_on=NOW.date())
    AccessAttempt.objects.create(username=EMAIL, post_data=EMAIL, failures_since_start=1)
    AccessLog.objects.create(username=EMAIL)
    operator = Client()
    factories.login_operator(operator)
    operator.get("/admin/subscribers/subscriber/", {"q": EMAIL})
    LogEntry.objects.create(
        user=get_user_model().objects.get(),
        action_flag=CHANGE,
        object_id=str(reader.pk),
        object_repr=str(reader),
    )
    return reader


def personal(reader: Subscriber) -> list[str]:
    ids = [str(reader.public_id), reader.public_id.hex, str(reader.confirmation_nonce)]
    return [EMAIL, EMAIL.replace("@", "%40"), "192.0.2.77", *PARTS, *ids]


def test_nothing_personal_is_left_in_any_table_and_the_suppression_holds(tmp_path: Path) -> None:
    reader = lived_here()
    names = personal(reader)
    assert {where.split(".")[0] for where in traces(names)} == {
        "axes_accessattempt",
        "axes_accesslog",
        "newsletter_providerreport",
        "subscribers_consent",
        "subscribers_farewell",
        "subscribers_follow",
        "subscribers_subscriber",
    }
    browser, token = Client(), links.signed_token(Purpose.PREFERENCES, reader)

    kept = json.loads(browser.get(f"/preferences/{token}/about-me.json").content)
    empty = {name for name, rows in kept.items() if not rows}
    browser.post(f"/preferences/{token}/erase/")

    assert empty == {"suppressed", "suppressions"}
    assert traces(names) == set()

    file = tmp_path / "readers.csv"
    file.write_text(f"Email Address,First Name,LEID\n{EMAIL.upper()},Zephyrine,1\n")
    for confirmed in (True, False):
        out = StringIO()
        call_command("import_subscribers", file, confirmed=confirmed, stdout=out)
        assert "0 added, 0 already known, 1 suppressed" in out.getvalue()

    post("Delivery", DeliveredAt=NOW.isoformat(), MessageID="m-9")

    assert traces(names) == set()
    assert suppression.is_suppressed(EMAIL)


def test_who_was_erased_comes_back_by_their_own_press_only(tmp_path: Path) -> None:
    reader = factories.subscriber(email=EMAIL)
    token = links.signed_token(Purpose.PREFERENCES, reader)
    Client().post(f"/preferences/{token}/erase/")

    Client().post("/subscribe/", factories.signup_form_data(EMAIL))
    asked = Subscriber.objects.get()
    stands = (asked.status, suppression.is_suppressed(EMAIL))
    lifecycle.confirm(asked, NOW)

    assert stands == ("pending", True)
    assert (asked.status, suppression.is_suppressed(EMAIL)) == ("active", False)
    assert asked.public_id != reader.public_id
