"""newsletter/events/{reports,processing}.py, most of it through the webhook"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
import time_machine
from anymail.signals import tracking
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from newsletter import tasks
from newsletter.events import processing, receivers, reports
from newsletter.models import Delivery, ProviderEvent, ProviderReport
from subscribers import suppression
from subscribers.models import SoftBounce, Subscriber, Suppression
from subscribers.privacy import personal_data
from subscribers.signup import lifecycle
from tests import factories

pytestmark = pytest.mark.django_db

State = ProviderEvent.ProcessingState
NOW = factories.NOW
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ADA = "ada@example.org"
BASIC = "Basic dXNlcm5hbWU6cGFzc3dvcmQ="


@pytest.fixture(autouse=True)
def _now_and_settings(settings: Any) -> Iterator[None]:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "username:password"}
    with time_machine.travel(NOW, tick=False):
        yield


def event(kind: str = "Delivery", *, delivery: Delivery | None = None, **fields: Any) -> Any:
    """Return an event as Postmark reports it."""
    time_field = {"Delivery": "DeliveredAt", "Bounce": "BouncedAt"}.get(kind, "ReceivedAt")
    metadata = {}
    if delivery:
        metadata = {"delivery": str(delivery.pk), "edition": str(delivery.edition)}
    return {
        "RecordType": kind,
        "MessageID": "m",
        "Recipient": ADA,
        "Email": ADA,
        time_field: NOW.isoformat(),
        "Metadata": metadata,
    } | fields


def post(*events: Any, provider: str = "postmark") -> None:
    """Post each event as a request of its own, as Postmark does."""
    client = Client()
    for payload in events:
        response = client.post(
            f"/webhooks/{provider}/tracking/",
            json.dumps(payload),
            content_type="application/json",
            headers={"Authorization": BASIC},
        )
        assert response.status_code == 200


def post_to_mailjet(*events: dict[str, Any]) -> None:
    """Post all events in one request, as Mailjet does."""
    defaults = {"email": ADA, "time": int(NOW.timestamp()), "MessageID": 7}
    post([defaults | fields for fields in events], provider="mailjet")


def create_delivery(**fields: Any) -> Delivery:
    edition = factories.edition()
    defaults = {
        "state": Delivery.State.HANDED_OVER,
        "batch": factories.batch(edition=edition),
        "attempted_at": NOW,
        "message_id": "m",
    }
    reader = Subscriber.objects.filter(email=ADA).first() or factories.subscriber(email=ADA)
    return factories.delivery(edition=edition, subscriber=reader, **defaults | fields)


def run_sweep(*, after: timedelta) -> None:
    with time_machine.travel(NOW + after, tick=False):
        tasks.sweep_reports.delay()


def event_states() -> list[str]:
    return list(ProviderEvent.objects.order_by("pk").values_list("state", flat=True))


def test_a_report_is_stored_as_received_without_its_credentials() -> None:
    post(event())

    [report] = ProviderReport.objects.all()
    assert json.loads(bytes(report.body)) == event()
    assert (report.provider, report.received_at, report.next_at) == (
        "postmark",
        NOW,
        NOW + MINUTE,
    )
    assert report.headers == {}
    assert "cGFzc3dvcmQ" not in str(ProviderReport.objects.values().get())


def test_an_identical_request_is_stored_once() -> None:
    create_delivery()

    post(event(), event())

    assert ProviderReport.objects.count() == 1
    assert event_states() == [State.DONE]


def test_an_event_that_is_reported_again_is_applied_once() -> None:
    """In the same request, and in another one with a different body."""
    factories.subscriber(email=ADA)
    bounce = {"event": "bounce", "hard_bounce": False, "error": "mailbox full"}

    post_to_mailjet(bounce, bounce)
    post_to_mailjet(bounce, {"event": "open"})

    assert sorted(event_states()) == ["duplicate", "duplicate", "waiting", "waiting"]
    assert SoftBounce.objects.count() == 1


def test_an_event_waits_until_its_delivery_is_known() -> None:
    post(event(MessageID="late"))
    assert event_states() == [State.WAITING]

    delivery = create_delivery(message_id="late")
    run_sweep(after=MINUTE)

    delivery.refresh_from_db()
    assert (delivery.event, event_states()) == ("delivered", [State.DONE])
    assert not ProviderReport.objects.filter(next_at__isnull=False).exists()


def test_an_event_without_a_delivery_is_given_up_after_a_day() -> None:
    post(event())

    age, attempts = timedelta(), 0
    while (due := ProviderReport.objects.get().next_at) is not None:
        age, attempts = due - NOW, attempts + 1
        run_sweep(after=age)

    assert event_states() == [State.UNMATCHED]
    assert DAY <= age < DAY + HOUR
    assert attempts < 40


@pytest.mark.parametrize("kind", ["confirmation", "already"])
def test_an_event_about_a_mail_without_a_delivery_does_not_wait(kind: str) -> None:
    post(event(Metadata={"kind": kind}))

    assert event_states() == [State.DONE]


REJECTED = {"Type": "BadEmailAddress"}


def test_a_refusal_during_handover_is_applied_afterwards() -> None:
    delivery = create_delivery(state=Delivery.State.CLAIMED, message_id="")
    post(event("Bounce", delivery=delivery, **REJECTED))
    delivery.refresh_from_db()
    assert (delivery.state, event_states()) == ("claimed", [State.WAITING])

    Delivery.objects.update(state=Delivery.State.HANDED_OVER)
    run_sweep(after=MINUTE)

    delivery.refresh_from_db()
    assert (delivery.state, event_states()) == ("failed", [State.DONE])


def test_an_event_that_waited_does_not_unsubscribe_a_reader_who_came_back() -> None:
    """The event unsubscribed the reader when it arrived; only its delivery was missing."""
    ada = factories.subscriber(email=ADA)
    post(event("SubscriptionChange", SuppressSending=True, ChangedAt=NOW.isoformat()))
    ada.refresh_from_db()
    assert (ada.left_reason, event_states()) == ("unsubscribed", [State.WAITING])
    assert lifecycle.rejoin(ada, NOW + timedelta(seconds=1))

    run_sweep(after=MINUTE)
    processing.replay_reports(reports.stored_report_ids(), now=NOW + HOUR)

    ada.refresh_from_db()
    assert ada.status == Subscriber.Status.ACTIVE


def test_an_event_that_fails_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    factories.subscriber(email="ben@example.org")
    deliveries_for_event = receivers.deliveries_for_event

    def fail_for_ada(event: Any) -> Any:
        if event.recipient == ADA:
            raise ValueError(f"a bug with {ADA}")
        return deliveries_for_event(event)

    with monkeypatch.context() as patch:
        patch.setattr(receivers, "deliveries_for_event", fail_for_ada)
        post_to_mailjet({"event": "spam"}, {"event": "spam", "email": "ben@example.org"})
    assert event_states() == [State.NEW, State.WAITING]
    assert Suppression.objects.count() == 1
    assert ProviderReport.objects.get().error != ""
    assert "not applied: ValueError: a bug with … (" in caplog.text
    assert ADA not in caplog.text

    run_sweep(after=MINUTE)

    assert Suppression.objects.count() == 2
    assert ProviderReport.objects.get().error == ""


def test_an_event_whose_worker_dies_is_applied_by_the_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its effects and its new state are one transaction."""
    create_delivery()

    def die(*args: Any, **kwargs: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(receivers, "record_stage", die)
        with pytest.raises(SystemExit):
            post(event())
    assert event_states() == [State.NEW]

    run_sweep(after=reports.TASK_GRACE_PERIOD)

    assert event_states() == [State.DONE]
    assert Delivery.objects.get().event == "delivered"


def test_a_new_report_is_due_after_the_grace_period() -> None:
    ProviderReport.objects.create(
        provider="postmark",
        received_at=NOW,
        content_type="application/json",
        body=json.dumps(event()).encode(),
        digest="d",
        next_at=NOW + reports.TASK_GRACE_PERIOD,
    )

    assert reports.due_report_ids(now=NOW, limit=9) == []
    assert len(reports.due_report_ids(now=NOW + reports.TASK_GRACE_PERIOD, limit=9)) == 1


def test_a_body_that_cannot_be_parsed_is_given_up_after_a_day() -> None:
    report = ProviderReport.objects.create(
        provider="postmark", received_at=NOW, body=b"{", digest="d", next_at=NOW
    )

    counts = [
        processing.process_report(report.pk, now=NOW + age)["failed"] for age in (HOUR, DAY + HOUR)
    ]

    report.refresh_from_db()
    assert (counts, report.next_at, report.error) == ([1, 1], None, "MalformedRequestError")


def test_an_event_without_a_timestamp_has_that_of_its_report() -> None:
    """A replay days later must have the same result."""
    ada = factories.subscriber(email=ADA)
    complaint = event("SpamComplaint", Type="SpamComplaint")
    del complaint["ReceivedAt"]
    post(complaint)
    assert ProviderEvent.objects.get().happened_at == NOW

    lifecycle.request_confirmation(ADA, (), "", NOW + DAY)
    ada.refresh_from_db()
    lifecycle.confirm(ada, NOW + DAY)
    processing.replay_reports(reports.stored_report_ids(), now=NOW + 2 * DAY)

    assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE
    assert not Suppression.objects.exists()


def soft_bounce(number: int, at: timedelta) -> dict[str, Any]:
    return event("Bounce", Type="SoftBounce", MessageID=f"m{number}", ID=number) | {
        "BouncedAt": (NOW + at).isoformat()
    }


def delivery_event(at: timedelta) -> dict[str, Any]:
    return event(MessageID="arrived", DeliveredAt=(NOW + at).isoformat())


@pytest.mark.parametrize(
    ("delivered_at", "is_given_up"), [(2 * HOUR + MINUTE, False), (9 * HOUR, False), (-HOUR, True)]
)
def test_soft_bounces_are_counted_by_their_timestamps(
    delivered_at: timedelta, subtests: pytest.Subtests, *, is_given_up: bool
) -> None:
    """Six bounces and a delivery, reported in different orders, and each of them twice."""
    bounces = [soft_bounce(number, number * HOUR) for number in range(6)]
    for position in range(7):
        events = [*bounces[:position], delivery_event(delivered_at), *bounces[position:]]
        with subtests.test(position=position), transaction.atomic():
            ada = factories.subscriber(email=ADA)

            process([*events, *events[::-1]])

            ada.refresh_from_db()
            assert ada.left_reason == ("unreachable" if is_given_up else "")
            assert suppression.is_suppressed(ADA) == is_given_up
            transaction.set_rollback(True)


def process(events: list[Any]) -> None:
    """Store each event as a report of its own and process it."""
    for number, payload in enumerate(events):
        report = ProviderReport.objects.create(
            provider="postmark",
            received_at=NOW,
            content_type="application/json",
            body=json.dumps(payload).encode(),
            digest=str(number),
        )
        processing.process_report(report.pk, now=NOW)


def test_a_replay_of_all_reports_changes_nothing(subtests: pytest.Subtests) -> None:
    for order in permutations(range(3)):
        with subtests.test(order=order), transaction.atomic():
            delivery = create_delivery()
            events = [
                event(delivery=delivery),
                event("SpamComplaint", delivery=delivery, Type="SpamComplaint"),
                event("Bounce", delivery=delivery, Type="HardBounce", ID=3),
            ]
            process([events[number] for number in order])
            before = everything()

            counts = processing.replay_reports(reports.stored_report_ids(), now=NOW + HOUR)

            assert everything() == before
            assert (counts["reports"], counts[State.DONE]) == (3, 3)
            transaction.set_rollback(True)


def everything() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Delivery, Subscriber, Suppression, SoftBounce, ProviderEvent)
    ]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time anyway")
@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_apply_each_event_once() -> None:
    """Four workers process two reports with the same events in opposite order."""
    applied: list[str] = []
    failures: list[int] = []

    def record(event: Any, **_: Any) -> None:
        applied.append(event.recipient)

    emails = sorted(f"{number}@example.org" for number in range(40))
    bounces = [
        {"event": "bounce", "hard_bounce": False, "email": email, "time": 1} for email in emails
    ]
    for email in emails:
        factories.subscriber(email=email)
    report_ids = [
        ProviderReport.objects.create(
            provider="mailjet",
            received_at=NOW,
            content_type="application/json",
            body=json.dumps(payload).encode(),
            digest=str(payload[0]["email"]),
            next_at=NOW,
        ).pk
        for payload in (bounces, bounces[::-1])
    ]

    def work() -> None:
        try:
            failures.extend(processing.process_report(pk, now=NOW)["failed"] for pk in report_ids)
        finally:
            connection.close()

    tracking.connect(record)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        tracking.disconnect(record)

    assert failures == [0] * 8
    assert sorted(applied) == emails
    assert SoftBounce.objects.count() == 40


def test_an_event_that_names_a_reader_only_in_metadata_is_erased() -> None:
    ada = factories.subscriber(email=ADA)
    payload = event("SubscriptionChange", Metadata={"subscriber": str(ada.public_id)}, MessageID="")
    del payload["Recipient"], payload["Email"]
    post(payload)

    personal_data.erase_subscriber(ADA, NOW)

    assert bodies() == ""


def test_reports_are_deleted_after_the_retention_time() -> None:
    create_delivery()
    post(event(), event("SpamComplaint", Type="SpamComplaint"))
    ProviderReport.objects.filter(events__kind="delivered").update(
        received_at=NOW - reports.REPORT_RETENTION
    )

    tasks.forget.delay()

    assert [row.kind for row in ProviderEvent.objects.all()] == ["complained"]
    assert ProviderReport.objects.count() == 1


def bodies() -> str:
    return " ".join(bytes(report.body).decode() for report in ProviderReport.objects.all())


def test_erasing_an_address_empties_its_reports() -> None:
    delivery = create_delivery()
    post(
        event("SpamComplaint", Type="SpamComplaint"),
        event(delivery=delivery, Recipient="forwarded@example.net"),
        event(Recipient="ben@example.org", Email="ben@example.org", MessageID="other"),
    )
    post_to_mailjet({"event": "open"}, {"event": "open"})  # the duplicate names the address, too

    personal_data.erase_subscriber(ADA, NOW)

    assert ADA not in bodies()
    assert "forwarded" not in bodies()
    assert "ben@example.org" in bodies()
    assert ProviderEvent.objects.count() == 1
    assert suppression.is_suppressed(ADA)


def test_erasing_an_address_empties_reports_that_are_not_processed_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    factories.subscriber(email=ADA)
    monkeypatch.setattr(tasks.work_through_report, "delay", lambda report_id: None)
    post(event(Recipient="ADA@Example.org"))

    personal_data.erase_subscriber(ADA, NOW)
    run_sweep(after=HOUR)

    assert bodies() == ""


def test_erasing_an_address_without_a_subscriber_empties_its_reports() -> None:
    post(event())

    personal_data.erase_subscriber(ADA, NOW)

    assert bodies() == ""
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(("event_count", "query_count"), [(1, 12), (20, 126)])
def test_a_report_takes_six_queries_and_six_per_event(event_count: int, query_count: int) -> None:
    edition = factories.edition()
    payloads = []
    for number in range(event_count):
        reader = factories.subscriber(email=f"{number}@example.org")
        delivery = factories.delivery(
            edition=edition,
            subscriber=reader,
            state=Delivery.State.HANDED_OVER,
            attempted_at=NOW,
        )
        metadata = {"delivery": str(delivery.pk), "edition": "2026-05-12"}
        metadata |= {"subscriber": str(reader.public_id)}
        payloads.append({"event": "sent", "email": reader.email, "Payload": json.dumps(metadata)})

    with CaptureQueriesContext(connection) as captured:
        post_to_mailjet(*payloads)

    statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert ProviderEvent.objects.filter(state=State.DONE).count() == event_count
    assert len(statements) == query_count
