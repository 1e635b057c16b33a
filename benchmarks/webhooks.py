"""Measure how fast provider reports are answered and processed: events per second, and queries."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from django.conf import settings
from django.test import Client

import benchmarks
from newsletter import tasks
from newsletter.events import processing, reports
from newsletter.models import Delivery, Edition, ProviderEvent, ProviderReport
from subscribers.models import Preferences, Subscriber

NOW = datetime(2026, 5, 12, 6, tzinfo=UTC)
READER_COUNT = 2_000
BASIC_AUTH = "Basic dXNlcjpwYXNzd29yZA=="
AUTH_HEADERS = {"Authorization": BASIC_AUTH}


def create_deliveries() -> list[Delivery]:
    """Create readers who were sent today's edition; return their deliveries."""
    edition = Edition.objects.create(date=NOW.date(), published_at=NOW, opened=READER_COUNT)
    readers = Subscriber.objects.bulk_create(
        Subscriber(email=f"reader{number}@example.org", status="active", confirmed_at=NOW)
        for number in range(READER_COUNT)
    )
    Preferences.objects.bulk_create(Preferences(subscriber=reader) for reader in readers)
    return Delivery.objects.bulk_create(
        Delivery(
            edition=edition,
            subscriber=reader,
            state=Delivery.State.HANDED_OVER,
            attempted_at=NOW,
            settled_at=NOW,
            opened_at=NOW,
            after=NOW.date() - timedelta(days=1),
            expires_at=NOW + timedelta(hours=12),
        )
        for reader in readers
    )


def postmark_event(delivery: Delivery, record_type: str) -> dict[str, object]:
    """Return an event as Postmark reports it, one per request."""
    return {
        "RecordType": record_type,
        "MessageID": f"message-{delivery.pk}",
        "Recipient": delivery.subscriber.email if delivery.subscriber else "",
        "DeliveredAt": NOW.isoformat(),
        "Details": "smtp;250 2.0.0 OK " * 20,
        "Metadata": delivery_metadata(delivery),
    }


def delivery_metadata(delivery: Delivery) -> dict[str, str]:
    subscriber = delivery.subscriber
    return {
        "kind": "digest",
        "delivery": str(delivery.pk),
        "edition": str(NOW.date()),
        "subscriber": str(subscriber.public_id) if subscriber else "",
    }


def mailjet_events(deliveries: list[Delivery]) -> list[dict[str, object]]:
    """Return events as Mailjet reports them, several per request."""
    return [
        {
            "event": "sent",
            "time": int(NOW.timestamp()),
            "MessageID": delivery.pk,
            "email": delivery.subscriber.email if delivery.subscriber else "",
            "Payload": json.dumps(delivery_metadata(delivery)),
        }
        for delivery in deliveries
    ]


def measure_requests(provider: str, bodies: list[str]) -> None:
    client = Client(SERVER_NAME="localhost")
    queries = benchmarks.QueryCounter()
    with queries.counting():
        start = time.perf_counter()
        for body in bodies:
            response = client.post(
                f"/webhooks/{provider}/tracking/",
                body,
                content_type="application/json",
                headers=AUTH_HEADERS,
            )
            assert response.status_code == 200
        seconds = time.perf_counter() - start
    print(
        f"{provider}: {len(bodies) / seconds:,.0f} requests/s answered,"
        f" {queries.count / len(bodies):.1f} statements each"
    )


def measure_processing(label: str) -> None:
    queries = benchmarks.QueryCounter()
    with queries.counting():
        start = time.perf_counter()
        for report_id in reports.due_report_ids(now=NOW + timedelta(days=9999), limit=READER_COUNT):
            processing.process_report(report_id, now=NOW)
        seconds = time.perf_counter() - start
    events = ProviderEvent.objects.exclude(state="duplicate").count()
    print(
        f"{label}: {events / seconds:,.0f} events/s processed,"
        f" {queries.count / events:.1f} statements each",
        flush=True,
    )
    ProviderReport.objects.all().delete()


def main() -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:password"}
    # Do not process reports before they are answered, as in a service with a broker.
    with patch.object(tasks.work_through_report, "delay"), benchmarks.empty_database():
        deliveries = create_deliveries()
        measure_requests(
            "postmark",
            [json.dumps(postmark_event(delivery, "Delivery")) for delivery in deliveries],
        )
        measure_processing("one event a request")
        pages = [deliveries[start : start + 100] for start in range(0, READER_COUNT, 100)]
        measure_requests("mailjet", [json.dumps(mailjet_events(page)) for page in pages])
        measure_processing("100 events a request")
