"""newsletter/admin.py: what providers reported"""

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
def desk(client: Client) -> Client:
    return factories.login_operator(client)


def report(number: int, **fields: Any) -> ProviderReport:
    told = {"RecordType": "Delivery", "MessageID": f"m{number}", "Recipient": ADA} | fields
    stored = ProviderReport.objects.create(
        provider="postmark",
        received_at=factories.NOW,
        body=json.dumps(told).encode(),
        digest=str(number),
        next_at=factories.NOW,
    )
    processing.process_report(stored.pk, now=factories.NOW)
    return stored


def sent(number: int) -> Delivery:
    return factories.delivery(
        edition=factories.edition(),
        subscriber=factories.subscriber(),
        state=Delivery.State.HANDED_OVER,
        attempted_at=factories.NOW,
        message_id=f"m{number}",
    )


def found(desk: Client, page: str, **query: str) -> list[int]:
    answer = desk.get(page, query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["cl"].result_list]


def test_events_are_found_by_delivery_message_or_address(desk: Client) -> None:
    delivery = sent(1)
    report(1)
    report(2, Recipient="ben@example.org")
    first, second = ProviderEvent.objects.order_by("pk").values_list("pk", flat=True)

    assert found(desk, EVENTS) == [second, first]
    assert found(desk, EVENTS, q="m2") == [second]
    assert found(desk, EVENTS, q=" Ada@EXAMPLE.org") == [first]
    assert found(desk, EVENTS, q="nobody@example.org") == []
    assert first in found(desk, EVENTS, q=str(delivery.pk))
    assert found(desk, EVENTS, q="9" * 30) == []
    assert found(desk, EVENTS, state="waiting") == [second]
    assert found(desk, EVENTS, report__provider="mailjet") == []


def test_a_report_is_shown_as_it_came(desk: Client) -> None:
    stored = report(1, Details="<script>alert(1)</script>")

    page = desk.get(f"{REPORTS}{stored.pk}/change/").content.decode()

    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert found(desk, REPORTS, q="m1") == [stored.pk]
    assert found(desk, REPORTS, next_at__isempty="1") == []


def test_a_report_of_somebody_who_was_erased_says_so(desk: Client) -> None:
    stored = report(1)
    ProviderReport.objects.update(body=b"")

    assert "Deleted." in desk.get(f"{REPORTS}{stored.pk}/change/").content.decode()


@pytest.mark.parametrize("page", [EVENTS, REPORTS])
def test_nobody_writes_them_by_hand(desk: Client, page: str) -> None:
    report(1)
    pk = (ProviderEvent if page == EVENTS else ProviderReport).objects.get().pk

    assert desk.get(f"{page}{pk}/change/").status_code == 200
    assert desk.post(f"{page}{pk}/change/", {}).status_code == 403
    assert desk.get(f"{page}add/").status_code == 403
    assert desk.get(f"{page}{pk}/delete/").status_code == 403


def test_a_list_of_events_costs_the_same_however_long(desk: Client) -> None:
    counts = []
    for number in range(1, 7):
        report(number)
        if number in {1, 6}:
            with CaptureQueriesContext(connection) as queries:
                found(desk, EVENTS)
            counts.append(len(queries))

    assert counts[0] == counts[1]
