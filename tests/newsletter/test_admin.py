"""newsletter/admin.py: provider reports and events"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from newsletter.events import processing
from newsletter.models import Delivery, ProviderEvent, ProviderReport
from tests import factories

pytestmark = pytest.mark.django_db

EVENTS, REPORTS = "/admin/newsletter/providerevent/", "/admin/newsletter/providerreport/"
ADA = "ada@example.org"


@pytest.fixture
def admin_client(client: Client) -> Client:
    return factories.login_operator(client)


def report(number: int, **fields: Any) -> ProviderReport:
    event = {"RecordType": "Delivery", "MessageID": f"m{number}", "Recipient": ADA} | fields
    stored = ProviderReport.objects.create(
        provider="postmark",
        received_at=factories.NOW,
        body=json.dumps(event).encode(),
        digest=str(number),
        next_at=factories.NOW,
    )
    processing.process_report(stored.pk, now=factories.NOW)
    return stored


def create_delivery(number: int) -> Delivery:
    return factories.delivery(
        edition=factories.edition(),
        subscriber=factories.subscriber(),
        state=Delivery.State.HANDED_OVER,
        attempted_at=factories.NOW,
        message_id=f"m{number}",
    )


def result_ids(admin_client: Client, page: str, **query: str) -> list[int]:
    response = admin_client.get(page, query)
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


def test_events_are_found_by_delivery_message_or_address(admin_client: Client) -> None:
    delivery = create_delivery(1)
    report(1)
    report(2, Recipient="ben@example.org")
    first, second = ProviderEvent.objects.order_by("pk").values_list("pk", flat=True)

    assert result_ids(admin_client, EVENTS) == [second, first]
    assert result_ids(admin_client, EVENTS, q="m2") == [second]
    assert result_ids(admin_client, EVENTS, q=" Ada@EXAMPLE.org") == [first]
    assert result_ids(admin_client, EVENTS, q="nobody@example.org") == []
    assert first in result_ids(admin_client, EVENTS, q=str(delivery.pk))
    assert result_ids(admin_client, EVENTS, q="9" * 30) == []
    assert result_ids(admin_client, EVENTS, state="waiting") == [second]
    assert result_ids(admin_client, EVENTS, report__provider="mailjet") == []


def test_a_report_is_shown_as_received_and_escaped(admin_client: Client) -> None:
    stored = report(1, Details="<script>alert(1)</script>")

    page = admin_client.get(f"{REPORTS}{stored.pk}/change/").content.decode()

    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert result_ids(admin_client, REPORTS, q="m1") == [stored.pk]
    assert result_ids(admin_client, REPORTS, next_at__isempty="1") == []


def test_an_emptied_report_is_shown_as_deleted(admin_client: Client) -> None:
    stored = report(1)
    ProviderReport.objects.update(body=b"")

    assert "Deleted." in admin_client.get(f"{REPORTS}{stored.pk}/change/").content.decode()


@pytest.mark.parametrize("page", [EVENTS, REPORTS])
def test_events_and_reports_are_view_only(admin_client: Client, page: str) -> None:
    report(1)
    pk = (ProviderEvent if page == EVENTS else ProviderReport).objects.get().pk

    assert admin_client.get(f"{page}{pk}/change/").status_code == 200
    assert admin_client.post(f"{page}{pk}/change/", {}).status_code == 403
    assert admin_client.get(f"{page}add/").status_code == 403
    assert admin_client.get(f"{page}{pk}/delete/").status_code == 403


def test_the_list_of_events_takes_a_constant_number_of_queries(admin_client: Client) -> None:
    counts = []
    for number in range(1, 7):
        report(number)
        if number in {1, 6}:
            with CaptureQueriesContext(connection) as queries:
                result_ids(admin_client, EVENTS)
            counts.append(len(queries))

    assert counts[0] == counts[1]
