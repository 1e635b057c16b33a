"""How fast providers' reports are answered, and worked through: events a second, and queries."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from django.conf import settings
from django.test import Client

import benchmarks
from newsletter import tasks
from newsletter.events import processing
from newsletter.models import Delivery, Edition, ProviderEvent, ProviderReport
from subscribers.models import Preferences, Subscriber

NOW = datetime(2026, 5, 12, 6, tzinfo=UTC)
READERS = 2_000
BASIC = "Basic dXNlcjpwYXNzd29yZA=="
HEADERS = {"Authorization": BASIC}


def readers() -> list[Delivery]:
    """Each of whom was sent today's edition."""
    edition = Edition.objects.create(date=NOW.date(), published_at=NOW, opened=READERS)
    people = Subscriber.objects.bulk_create(
        Subscriber(email=f"reader{number}@example.org", status="active", confirmed_at=NOW)
        for number in range(READERS)
    )
    Preferences.objects.bulk_create(Preferences(subscriber=person) for person in people)
    return Delivery.objects.bulk_create(
        Delivery(
            edition=edition,
            subscriber=person,
            state=Delivery.State.HANDED_OVER,
            attempted_at=NOW,
            settled_at=NOW,
            opened_at=NOW,
            after=NOW.date() - timedelta(days=1),
            expires_at=NOW + timedelta(hours=12),
        )
        for person in people
    )


def one(delivery: Delivery, kind: str) -> dict[str, object]:
    """An event as Postmark reports it, one in each request."""
    return {
        "RecordType": kind,
        "MessageID": f"message-{delivery.pk}",
        "Recipient": delivery.subscriber.email if delivery.subscriber else "",
        "DeliveredAt": NOW.isoformat(),
        "Details": "smtp;250 2.0.0 OK " * 20,
        "Metadata": metadata(delivery),
    }


def metadata(delivery: Delivery) -> dict[str, str]:
    subscriber = delivery.subscriber
    return {
        "kind": "digest",
        "delivery": str(delivery.pk),
        "edition": str(NOW.date()),
        "subscriber": str(subscriber.public_id) if subscriber else "",
    }


def many(deliveries: list[Delivery]) -> list[dict[str, object]]:
    """Events as Mailjet reports them, several in a request."""
    return [
        {
            "event": "sent",
            "time": int(NOW.timestamp()),
            "MessageID": delivery.pk,
            "email": delivery.subscriber.email if delivery.subscriber else "",
            "Payload": json.dumps(metadata(delivery)),
        }
        for delivery in deliveries
    ]


def answer(provider: str, bodies: list[str]) -> None:
    client = Client(SERVER_NAME="localhost")
    queries = benchmarks.Queries()
    with queries.counted():
        start = time.perf_counter()
        for body in bodies:
            taken = client.post(
                f"/webhooks/{provider}/tracking/",
                body,
                content_type="application/json",
                headers=HEADERS,
            )
            assert taken.status_code == 200
        seconds = time.perf_counter() - start
    print(
        f"{provider}: {len(bodies) / seconds:,.0f} requests/s answered,"
        f" {queries.number / len(bodies):.1f} statements each"
    )


def work_through(what: str) -> None:
    queries = benchmarks.Queries()
    with queries.counted():
        start = time.perf_counter()
        for report_id in processing.due(now=NOW + timedelta(days=9999), most=READERS):
            processing.work_through(report_id, now=NOW)
        seconds = time.perf_counter() - start
    events = ProviderEvent.objects.exclude(state="duplicate").count()
    print(
        f"{what}: {events / seconds:,.0f} events/s worked through,"
        f" {queries.number / events:.1f} statements each",
        flush=True,
    )
    ProviderReport.objects.all().delete()


def main() -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:password"}
    # As with a broker: the answer does not wait for the work.
    with patch.object(tasks.work_through_report, "delay"), benchmarks.empty_database():
        deliveries = readers()
        answer("postmark", [json.dumps(one(each, "Delivery")) for each in deliveries])
        work_through("one event a request")
        pages = [deliveries[place : place + 100] for place in range(0, READERS, 100)]
        answer("mailjet", [json.dumps(many(page)) for page in pages])
        work_through("100 events a request")
