"""newsletter/operations/personal_data.py"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.test import Client

from newsletter.models import Delivery, ProviderEvent, ProviderReport
from subscribers.privacy import personal_data
from tests import factories

pytestmark = pytest.mark.django_db

NOW = factories.NOW
ADA, BEN = "ada@example.org", "ben@example.org"
BASIC = "Basic dXNlcm5hbWU6cGFzc3dvcmQ="


@pytest.fixture(autouse=True)
def _now_and_keys(settings: Any) -> Iterator[None]:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "username:password"}
    with time_machine.travel(NOW, tick=False):
        yield


def post(recipient: str, **fields: Any) -> None:
    """Post a report of a delivery as Postmark does."""
    event = {
        "RecordType": "Delivery",
        "MessageID": f"message-to-{recipient}",
        "Recipient": recipient,
        "DeliveredAt": NOW.isoformat(),
        "Metadata": {"kind": "confirmation"},
    }
    Client().post(
        "/webhooks/postmark/tracking/",
        json.dumps(event | fields),
        content_type="application/json",
        headers={"authorization": BASIC},
    )


def bodies() -> str:
    return " ".join(bytes(report.body).decode() for report in ProviderReport.objects.all())


def test_the_export_contains_the_events_as_providers_wrote_them() -> None:
    ada = factories.subscriber(email=ADA)
    post(ADA)
    post(BEN)

    [event] = personal_data.export_subscriber(ada)["provider events"]

    assert event.pop("provider_data")["Recipient"] == ADA
    assert event == {
        "provider": "postmark",
        "received_at": NOW,
        "happened_at": NOW,
        "kind": "delivered",
        "message_id": f"message-to-{ADA}",
        "delivery_id": None,
    }


def test_the_export_of_an_event_without_a_readable_body_omits_the_body() -> None:
    ada = factories.subscriber(email=ADA)
    for body in (b"", b"{"):
        post(ADA, Tag=str(body))
        latest = ProviderReport.objects.order_by("pk").last()
        assert latest
        ProviderReport.objects.filter(pk=latest.pk).update(body=body)

    assert [
        row["provider_data"] for row in personal_data.export_subscriber(ada)["provider events"]
    ] == [
        None,
        None,
    ]


def test_erasing_searches_the_bodies_of_reports_that_failed() -> None:
    factories.subscriber(email=ADA)
    post(ADA)
    ProviderEvent.objects.all().delete()
    ProviderReport.objects.update(error="KeyError", next_at=None)

    personal_data.erase_subscriber(ADA, NOW)

    assert bodies() == ""


def test_an_event_about_an_erased_address_is_not_stored() -> None:
    factories.subscriber(email=ADA)
    personal_data.erase_subscriber(ADA, NOW)

    post(ADA)
    post(BEN)

    assert ADA not in bodies()
    assert BEN in bodies()
    assert ProviderEvent.objects.count() == 1


def test_erasing_clears_the_message_id_of_deliveries() -> None:
    edition = factories.edition()
    for email in (ADA, BEN):
        reader = factories.subscriber(email=email)
        factories.delivery(
            edition=edition, subscriber=reader, message_id=f"to-{email}", error="550"
        )

    personal_data.erase_subscriber(ADA, NOW)

    rows = Delivery.objects.order_by("pk").values_list("message_id", "error")
    assert list(rows) == [("", ""), (f"to-{BEN}", "550")]


def test_erasing_deletes_login_attempts_with_the_address() -> None:
    for name in (ADA.title(), "operator"):
        AccessAttempt.objects.create(username=name, failures_since_start=1)
        AccessLog.objects.create(username=name)

    personal_data.erase_subscriber(ADA, NOW)

    assert list(AccessAttempt.objects.values_list("username", flat=True)) == ["operator"]
    assert list(AccessLog.objects.values_list("username", flat=True)) == ["operator"]
