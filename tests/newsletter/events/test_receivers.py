"""newsletter/events/receivers.py"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent, tracking

from newsletter.models import Delivery
from tests import factories

pytestmark = pytest.mark.django_db

State, Event = Delivery.State, Delivery.Event


def sent(**fields: Any) -> Delivery:
    """A delivery that was handed over."""
    edition = factories.edition()
    defaults = {
        "state": State.HANDED_OVER,
        "batch": factories.batch(edition=edition),
        "attempted_at": factories.NOW,
        "settled_at": factories.NOW,
        "message_id": "postmark-1",
    }
    return factories.delivery(
        edition=edition, subscriber=factories.subscriber(), **defaults | fields
    )


def report(event_type: str, delivery: Delivery | None = None, **fields: Any) -> None:
    """What Anymail sends on when a provider reports an event."""
    metadata = {"edition": str(delivery.edition), "delivery": str(delivery.pk)} if delivery else {}
    defaults = {"recipient": None, "metadata": metadata, "timestamp": factories.NOW}
    event = AnymailTrackingEvent(event_type=event_type, **defaults | fields)
    tracking.send(sender=object, event=event, esp_name="Postmark")


@pytest.mark.parametrize(
    ("event_type", "reached"),
    [
        ("deferred", Event.DEFERRED),
        ("delivered", Event.DELIVERED),
        ("bounced", Event.BOUNCED),
        ("complained", Event.COMPLAINED),
    ],
)
def test_an_event_marks_the_delivery_that_our_metadata_names(event_type: str, reached: str) -> None:
    delivery = sent(message_id="")

    report(event_type, delivery)

    delivery.refresh_from_db()
    assert (delivery.event, delivery.event_at) == (reached, factories.NOW)


def test_without_metadata_the_message_id_names_the_delivery() -> None:
    delivery = sent()

    report("delivered", message_id="postmark-1")

    delivery.refresh_from_db()
    assert delivery.event == Event.DELIVERED


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["deferred", "delivered", "complained"]))
)
def test_events_in_any_order_and_doubled_end_the_same(order: tuple[str, ...]) -> None:
    delivery = sent()

    for event_type in order + order:
        report(event_type, delivery)

    delivery.refresh_from_db()
    assert (delivery.event, delivery.state) == (Event.COMPLAINED, State.HANDED_OVER)


@pytest.mark.parametrize("event_type", ["queued", "sent", "delivered", "bounced", "opened"])
def test_any_sign_of_the_message_settles_an_unknown_outcome(event_type: str) -> None:
    delivery = sent(state=State.UNKNOWN)

    report(event_type, delivery)

    delivery.refresh_from_db()
    assert delivery.state == State.HANDED_OVER


@pytest.mark.parametrize("event_type", ["rejected", "failed"])
@pytest.mark.parametrize("state", [State.HANDED_OVER, State.UNKNOWN])
def test_what_the_provider_drops_is_failed(event_type: str, state: str) -> None:
    delivery = sent(state=state)

    report(event_type, delivery)

    delivery.refresh_from_db()
    assert delivery.state == State.FAILED


def test_what_was_delivered_did_not_fail() -> None:
    delivery = sent()

    report("delivered", delivery)
    report("rejected", delivery)

    delivery.refresh_from_db()
    assert delivery.state == State.HANDED_OVER


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["delivered", "bounced", "rejected"]))
)
@pytest.mark.parametrize("state", [State.HANDED_OVER, State.UNKNOWN])
def test_a_refusal_in_any_place_does_not_undo_what_was_sent(
    order: tuple[str, ...], state: str
) -> None:
    delivery = sent(state=state)

    for event_type in order + order:
        report(event_type, delivery)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.event, delivery.error) == (
        State.HANDED_OVER,
        Event.BOUNCED,
        "",
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": {}},
        {"metadata": None},
        {"metadata": {"delivery": "999999", "edition": "2026-05-12"}},
        {"metadata": {"delivery": "٣", "edition": "2026-05-12"}},
        {"metadata": {"delivery": "1" * 400, "edition": "2026-05-12"}},
        {"metadata": {"delivery": "1; drop", "edition": "x"}},
        {"message_id": "somebody-else-s"},
        {"message_id": "a\x00b"},
        {"message_id": "\x00"},
        {"message_id": "\ud800"},
        {"message_id": 7},
        {"message_id": ""},
    ],
)
def test_an_event_about_nothing_of_ours_changes_nothing(fields: dict[str, Any]) -> None:
    delivery = sent(message_id="")

    report("bounced", **fields)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.event) == (State.HANDED_OVER, "")


def test_a_delivery_of_another_database_with_the_same_number_is_not_ours() -> None:
    delivery = sent()

    report("bounced", metadata={"delivery": str(delivery.pk), "edition": "2020-01-01"})

    delivery.refresh_from_db()
    assert delivery.event == ""


def test_an_event_before_our_own_commit_is_kept_as_evidence() -> None:
    delivery = sent(state=State.CLAIMED, message_id="", settled_at=None)

    report("delivered", delivery)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.event) == (State.CLAIMED, Event.DELIVERED)


def test_an_event_whose_time_names_no_zone_is_taken_as_utc() -> None:
    delivery = sent()

    report("delivered", delivery, timestamp=factories.NOW.replace(tzinfo=None))

    delivery.refresh_from_db()
    assert delivery.event_at == factories.NOW


def test_an_event_at_an_impossible_time_is_noted_with_ours() -> None:
    delivery = sent()
    east = timezone(timedelta(hours=14))

    report("delivered", delivery, timestamp=datetime(1, 1, 1, tzinfo=east))

    delivery.refresh_from_db()
    assert delivery.event == Event.DELIVERED
    assert delivery.event_at is not None
    assert delivery.event_at > factories.NOW


def test_an_event_without_a_time_is_noted_with_ours() -> None:
    delivery = sent()

    report("delivered", delivery, timestamp=None)

    delivery.refresh_from_db()
    assert delivery.event_at is not None
    assert delivery.event_at - factories.NOW > timedelta(0)
