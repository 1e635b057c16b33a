"""Export, erase, and import the same person again: no data is left, and no mail is sent."""

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
    """Yield every value of every column of every table, as text."""
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


def traces(values: list[str]) -> set[str]:
    """Return the columns that hold any of these values, in whatever case."""
    return {where for where, text in cells() if any(value in text.lower() for value in values)}


def post(kind: str, **fields: Any) -> None:
    event = {"RecordType": kind, "MessageID": "m-1", "Recipient": EMAIL, "Email": EMAIL} | fields
    response = Client().post(
        "/webhooks/postmark/tracking/",
        json.dumps(event),
        content_type="application/json",
        headers={"authorization": BASIC},
    )
    assert response.status_code == 200


def use_everything() -> Subscriber:
    """Leave data in every table: by the pages, by mails, and by providers' reports."""
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
    metadata = {"delivery": str(reader.deliveries.get().pk), "edition": str(edition)}
    metadata |= {"subscriber": str(reader.public_id)}
    post("Bounce", Type="Transient", BouncedAt=NOW.isoformat(), Metadata=metadata)
    post("Delivery", DeliveredAt=NOW.isoformat(), Metadata=metadata, Tag="<odd>")
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


def personal_values(reader: Subscriber) -> list[str]:
    ids = [str(reader.public_id), reader.public_id.hex, str(reader.confirmation_nonce)]
    return [EMAIL, EMAIL.replace("@", "%40"), "192.0.2.77", *PARTS, *ids]


def test_nothing_personal_is_left_in_any_table_and_the_suppression_holds(tmp_path: Path) -> None:
    reader = use_everything()
    names = personal_values(reader)
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

    export = json.loads(browser.get(f"/preferences/{token}/about-me.json").content)
    empty = {name for name, rows in export.items() if not rows}
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


def test_an_erased_reader_returns_only_by_confirming_again(tmp_path: Path) -> None:
    reader = factories.subscriber(email=EMAIL)
    token = links.signed_token(Purpose.PREFERENCES, reader)
    Client().post(f"/preferences/{token}/erase/")

    Client().post("/subscribe/", factories.signup_form_data(EMAIL))
    newcomer = Subscriber.objects.get()
    before = (newcomer.status, suppression.is_suppressed(EMAIL))
    lifecycle.confirm(newcomer, NOW)

    assert before == ("pending", True)
    assert (newcomer.status, suppression.is_suppressed(EMAIL)) == ("active", False)
    assert newcomer.public_id != reader.public_id
