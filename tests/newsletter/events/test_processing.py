"""newsletter/events/processing.py"""

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
from django.db import connection
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
def _now_and_keys(settings: Any) -> Iterator[None]:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "username:password"}
    with time_machine.travel(NOW, tick=False):
        yield


def event(kind: str = "Delivery", *, delivery: Delivery | None = None, **fields: Any) -> Any:
    """As Postmark writes it."""
    moment = {"Delivery": "DeliveredAt", "Bounce": "BouncedAt"}.get(kind, "ReceivedAt")
    metadata = {}
    if delivery:
        metadata = {"delivery": str(delivery.pk), "edition": str(delivery.edition)}
    return {
        "RecordType": kind,
        "MessageID": "m",
        "Recipient": ADA,
        "Email": ADA,
        moment: NOW.isoformat(),
        "Metadata": metadata,
    } | fields


def post(*events: Any, provider: str = "postmark") -> None:
    """Postmark sends one event a request; others send several."""
    client = Client()
    for each in events:
        answer = client.post(
            f"/webhooks/{provider}/tracking/",
            json.dumps(each),
            content_type="application/json",
            headers={"Authorization": BASIC},
        )
        assert answer.status_code == 200


def mailjet(*events: dict[str, Any]) -> None:
    defaults = {"email": ADA, "time": int(NOW.timestamp()), "MessageID": 7}
    post([defaults | each for each in events], provider="mailjet")


def sent(**fields: Any) -> Delivery:
    edition = factories.edition()
    defaults = {
        "state": Delivery.State.HANDED_OVER,
        "batch": factories.batch(edition=edition),
        "attempted_at": NOW,
        "message_id": "m",
    }
    reader = Subscriber.objects.filter(email=ADA).first() or factories.subscriber(email=ADA)
    return factories.delivery(edition=edition, subscriber=reader, **defaults | fields)


def sweep(*, after: timedelta) -> None:
    with time_machine.travel(NOW + after, tick=False):
        tasks.sweep_reports.delay()


def states() -> list[str]:
    return list(ProviderEvent.objects.order_by("pk").values_list("state", flat=True))


def test_a_report_is_kept_as_it_came_and_without_its_credentials() -> None:
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


def test_the_same_request_again_is_not_kept_again() -> None:
    sent()

    post(event(), event())

    assert ProviderReport.objects.count() == 1
    assert states() == [State.DONE]


def test_an_event_that_is_told_twice_is_noted_once() -> None:
    """In one request, and in another that is not the same to the byte."""
    factories.subscriber(email=ADA)
    bounce = {"event": "bounce", "hard_bounce": False, "error": "mailbox full"}

    mailjet(bounce, bounce)
    mailjet(bounce, {"event": "open"})

    assert sorted(states()) == ["duplicate", "duplicate", "waiting", "waiting"]
    assert SoftBounce.objects.count() == 1


def test_an_event_before_its_delivery_is_known_waits_for_it() -> None:
    post(event(MessageID="late"))
    assert states() == [State.WAITING]

    delivery = sent(message_id="late")
    sweep(after=MINUTE)

    delivery.refresh_from_db()
    assert (delivery.event, states()) == ("delivered", [State.DONE])
    assert not ProviderReport.objects.filter(next_at__isnull=False).exists()


def test_one_that_never_gets_a_delivery_is_given_up_after_a_day() -> None:
    post(event())

    moment, looks = timedelta(), 0
    while (due := ProviderReport.objects.get().next_at) is not None:
        moment, looks = due - NOW, looks + 1
        sweep(after=moment)

    assert states() == [State.UNMATCHED]
    assert DAY <= moment < DAY + HOUR
    assert looks < 40


@pytest.mark.parametrize("kind", ["confirmation", "already"])
def test_one_about_another_mail_of_ours_does_not_wait(kind: str) -> None:
    post(event(Metadata={"kind": kind}))

    assert states() == [State.DONE]


REJECTED = {"Type": "BadEmailAddress"}


def test_a_refusal_while_a_worker_has_it_is_not_lost() -> None:
    delivery = sent(state=Delivery.State.CLAIMED, message_id="")
    post(event("Bounce", delivery=delivery, **REJECTED))
    delivery.refresh_from_db()
    assert (delivery.state, states()) == ("claimed", [State.WAITING])

    Delivery.objects.update(state=Delivery.State.HANDED_OVER)
    sweep(after=MINUTE)

    delivery.refresh_from_db()
    assert (delivery.state, states()) == ("failed", [State.DONE])


def test_while_it_waits_nobody_who_came_back_leaves_again() -> None:
    """Only the delivery was not there: the reader has left once, for this."""
    ada = factories.subscriber(email=ADA)
    post(event("SubscriptionChange", SuppressSending=True, ChangedAt=NOW.isoformat()))
    ada.refresh_from_db()
    assert (ada.left_reason, states()) == ("unsubscribed", [State.WAITING])
    assert lifecycle.rejoin(ada, NOW + timedelta(seconds=1))

    sweep(after=MINUTE)
    processing.replay_reports(reports.stored_report_ids(), now=NOW + HOUR)

    ada.refresh_from_db()
    assert ada.status == Subscriber.Status.ACTIVE


def test_one_event_that_fails_does_not_cost_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    factories.subscriber(email="ben@example.org")
    whole = receivers.deliveries_for_event

    def fail_for_ada(told: Any) -> Any:
        if told.recipient == ADA:
            raise ValueError(f"a bug with {ADA}")
        return whole(told)

    with monkeypatch.context() as broken:
        broken.setattr(receivers, "deliveries_for_event", fail_for_ada)
        mailjet({"event": "spam"}, {"event": "spam", "email": "ben@example.org"})
    assert states() == [State.NEW, State.WAITING]
    assert Suppression.objects.count() == 1
    assert ProviderReport.objects.get().error != ""
    assert "not applied: ValueError: a bug with … (" in caplog.text
    assert ADA not in caplog.text

    sweep(after=MINUTE)

    assert Suppression.objects.count() == 2
    assert ProviderReport.objects.get().error == ""


def test_a_worker_that_dies_between_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event's effects and the mark that it had them are one transaction."""
    sent()

    def die(*args: Any, **kwargs: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(receivers, "record_stage", die)
        with pytest.raises(SystemExit):
            post(event())
    assert states() == [State.NEW]

    sweep(after=reports.TASK_GRACE_PERIOD)

    assert states() == [State.DONE]
    assert Delivery.objects.get().event == "delivered"


def test_what_is_not_due_is_left_to_the_task() -> None:
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


def test_a_body_that_is_not_readable_any_more_is_given_up_after_a_day() -> None:
    report = ProviderReport.objects.create(
        provider="postmark", received_at=NOW, body=b"{", digest="d", next_at=NOW
    )

    counts = [
        processing.process_report(report.pk, now=NOW + wait)["failed"]
        for wait in (HOUR, DAY + HOUR)
    ]

    report.refresh_from_db()
    assert (counts, report.next_at, report.error) == ([1, 1], None, "MalformedRequestError")


def test_an_event_without_a_moment_has_the_one_of_its_report() -> None:
    """So that working through it again a week later ends the same."""
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


def soft(number: int, at: timedelta) -> dict[str, Any]:
    return event("Bounce", Type="SoftBounce", MessageID=f"m{number}", ID=number) | {
        "BouncedAt": (NOW + at).isoformat()
    }


def delivered(at: timedelta) -> dict[str, Any]:
    return event(MessageID="arrived", DeliveredAt=(NOW + at).isoformat())


@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("arrived", [2 * HOUR + MINUTE, 9 * HOUR, -HOUR])
def test_a_row_of_soft_bounces_is_counted_by_their_moments(arrived: timedelta, place: int) -> None:
    """In whatever place the delivery is heard of, and everything twice."""
    ada = factories.subscriber(email=ADA)
    told = [soft(number, number * HOUR) for number in range(6)]
    told.insert(place, delivered(arrived))

    post(*told, *told[::-1])

    ada.refresh_from_db()
    given_up = arrived < timedelta()
    assert (ada.left_reason, suppression.is_suppressed(ADA)) == (
        "unreachable" if given_up else "",
        given_up,
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_replaying_everything_ends_the_same(order: tuple[int, ...]) -> None:
    delivery = sent()
    told = [
        event(delivery=delivery),
        event("SpamComplaint", delivery=delivery, Type="SpamComplaint"),
        event("Bounce", delivery=delivery, Type="HardBounce", ID=3),
    ]
    post(*(told[number] for number in order))
    before = everything()

    counts = processing.replay_reports(reports.stored_report_ids(), now=NOW + HOUR)

    assert everything() == before
    assert (counts["reports"], counts[State.DONE]) == (3, 3)


def everything() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Delivery, Subscriber, Suppression, SoftBounce, ProviderEvent)
    ]


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite lets one writer in at a time by itself"
)
@pytest.mark.django_db(transaction=True)
def test_workers_at_once_note_each_event_once() -> None:
    """Each of them has two reports with the same events, in another order."""
    heard: list[str] = []
    failures: list[int] = []

    def hear(event: Any, **_: Any) -> None:
        heard.append(event.recipient)

    emails = sorted(f"{number}@example.org" for number in range(40))
    bounces = [
        {"event": "bounce", "hard_bounce": False, "email": email, "time": 1} for email in emails
    ]
    for email in emails:
        factories.subscriber(email=email)
    stored = [
        ProviderReport.objects.create(
            provider="mailjet",
            received_at=NOW,
            content_type="application/json",
            body=json.dumps(told).encode(),
            digest=str(told[0]["email"]),
            next_at=NOW,
        ).pk
        for told in (bounces, bounces[::-1])
    ]

    def work() -> None:
        try:
            failures.extend(processing.process_report(pk, now=NOW)["failed"] for pk in stored)
        finally:
            connection.close()

    tracking.connect(hear)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        tracking.disconnect(hear)

    assert failures == [0] * 8
    assert sorted(heard) == emails
    assert SoftBounce.objects.count() == 40


def test_an_event_that_names_nobody_but_our_reader_is_theirs_to_be_erased() -> None:
    ada = factories.subscriber(email=ADA)
    told = event("SubscriptionChange", Metadata={"subscriber": str(ada.public_id)}, MessageID="")
    del told["Recipient"], told["Email"]
    post(told)

    personal_data.erase_subscriber(ADA, NOW)

    assert bodies() == ""


def test_reports_are_forgotten_after_a_month() -> None:
    sent()
    post(event(), event("SpamComplaint", Type="SpamComplaint"))
    ProviderReport.objects.filter(events__kind="delivered").update(
        received_at=NOW - reports.REPORT_RETENTION
    )

    tasks.forget.delay()

    assert [row.kind for row in ProviderEvent.objects.all()] == ["complained"]
    assert ProviderReport.objects.count() == 1


def bodies() -> str:
    return " ".join(bytes(report.body).decode() for report in ProviderReport.objects.all())


def test_who_is_erased_is_in_no_report_any_more() -> None:
    delivery = sent()
    post(
        event("SpamComplaint", Type="SpamComplaint"),
        event(delivery=delivery, Recipient="forwarded@example.net"),
        event(Recipient="ben@example.org", Email="ben@example.org", MessageID="other"),
    )
    mailjet({"event": "open"}, {"event": "open"})  # told twice: its duplicate holds them too

    personal_data.erase_subscriber(ADA, NOW)

    assert ADA not in bodies()
    assert "forwarded" not in bodies()
    assert "ben@example.org" in bodies()
    assert ProviderEvent.objects.count() == 1
    assert suppression.is_suppressed(ADA)


def test_nor_in_one_that_waits_to_be_worked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.subscriber(email=ADA)
    monkeypatch.setattr(tasks.work_through_report, "delay", lambda report_id: None)
    post(event(Recipient="ADA@Example.org"))

    personal_data.erase_subscriber(ADA, NOW)
    sweep(after=HOUR)

    assert bodies() == ""


def test_erasing_an_address_without_a_row_forgets_its_reports_too() -> None:
    post(event())

    personal_data.erase_subscriber(ADA, NOW)

    assert bodies() == ""
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(("events", "queries"), [(1, 12), (20, 126)])
def test_the_queries_of_a_report_grow_with_its_events_only(events: int, queries: int) -> None:
    """Six for the report, six for each event about a delivery that arrived."""
    edition = factories.edition()
    told = []
    for number in range(events):
        reader = factories.subscriber(email=f"{number}@example.org")
        delivery = factories.delivery(
            edition=edition,
            subscriber=reader,
            state=Delivery.State.HANDED_OVER,
            attempted_at=NOW,
        )
        payload = {"delivery": str(delivery.pk), "edition": "2026-05-12"}
        payload |= {"subscriber": str(reader.public_id)}
        told.append({"event": "sent", "email": reader.email, "Payload": json.dumps(payload)})

    with CaptureQueriesContext(connection) as captured:
        mailjet(*told)

    own = [each["sql"] for each in captured if "SAVEPOINT" not in each["sql"]]
    assert ProviderEvent.objects.filter(state=State.DONE).count() == events
    assert len(own) == queries
