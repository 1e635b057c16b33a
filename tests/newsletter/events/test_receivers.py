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


def create_delivery(**fields: Any) -> Delivery:
    """Create a delivery that was handed over."""
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
    """Send Anymail's signal of a provider's event."""
    metadata = {"edition": str(delivery.edition), "delivery": str(delivery.pk)} if delivery else {}
    defaults = {"recipient": None, "metadata": metadata, "timestamp": factories.NOW}
    event = AnymailTrackingEvent(event_type=event_type, **defaults | fields)
    tracking.send(sender=object, event=event, esp_name="Postmark")


@pytest.mark.parametrize(
    ("event_type", "stage"),
    [
        ("deferred", Event.DEFERRED),
        ("delivered", Event.DELIVERED),
        ("bounced", Event.BOUNCED),
        ("complained", Event.COMPLAINED),
    ],
)
def test_an_event_is_recorded_on_the_delivery_in_our_metadata(event_type: str, stage: str) -> None:
    delivery = create_delivery(message_id="")

    report(event_type, delivery)

    delivery.refresh_from_db()
    assert (delivery.event, delivery.event_at) == (stage, factories.NOW)


def test_without_metadata_the_delivery_is_found_by_message_id() -> None:
    delivery = create_delivery()

    report("delivered", message_id="postmark-1")

    delivery.refresh_from_db()
    assert delivery.event == Event.DELIVERED


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["deferred", "delivered", "complained"]))
)
def test_events_have_the_same_result_repeated_and_in_any_order(order: tuple[str, ...]) -> None:
    delivery = create_delivery()

    for event_type in order + order:
        report(event_type, delivery)

    delivery.refresh_from_db()
    assert (delivery.event, delivery.state) == (Event.COMPLAINED, State.HANDED_OVER)


@pytest.mark.parametrize("event_type", ["queued", "sent", "delivered", "bounced", "opened"])
def test_an_event_of_an_accepted_message_settles_an_unknown_outcome(event_type: str) -> None:
    delivery = create_delivery(state=State.UNKNOWN)

    report(event_type, delivery)

    delivery.refresh_from_db()
    assert delivery.state == State.HANDED_OVER


@pytest.mark.parametrize("event_type", ["rejected", "failed"])
@pytest.mark.parametrize("state", [State.HANDED_OVER, State.UNKNOWN])
def test_a_message_that_the_provider_drops_has_failed(event_type: str, state: str) -> None:
    delivery = create_delivery(state=state)

    report(event_type, delivery)

    delivery.refresh_from_db()
    assert delivery.state == State.FAILED


def test_a_refusal_does_not_undo_a_delivery() -> None:
    delivery = create_delivery()

    report("delivered", delivery)
    report("rejected", delivery)

    delivery.refresh_from_db()
    assert delivery.state == State.HANDED_OVER


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["delivered", "bounced", "rejected"]))
)
@pytest.mark.parametrize("state", [State.HANDED_OVER, State.UNKNOWN])
def test_a_refusal_in_any_order_does_not_undo_a_bounce(order: tuple[str, ...], state: str) -> None:
    delivery = create_delivery(state=state)

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
        {"message_id": "another-sender"},
        {"message_id": "a\x00b"},
        {"message_id": "\x00"},
        {"message_id": "\ud800"},
        {"message_id": 7},
        {"message_id": ""},
    ],
)
def test_an_event_that_matches_no_delivery_changes_nothing(fields: dict[str, Any]) -> None:
    delivery = create_delivery(message_id="")

    report("bounced", **fields)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.event) == (State.HANDED_OVER, "")


def test_a_delivery_id_of_another_edition_does_not_match() -> None:
    delivery = create_delivery()

    report("bounced", metadata={"delivery": str(delivery.pk), "edition": "2020-01-01"})

    delivery.refresh_from_db()
    assert delivery.event == ""


def test_an_event_during_handover_is_recorded() -> None:
    delivery = create_delivery(state=State.CLAIMED, message_id="", settled_at=None)

    report("delivered", delivery)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.event) == (State.CLAIMED, Event.DELIVERED)


def test_a_timestamp_without_a_time_zone_is_taken_as_utc() -> None:
    delivery = create_delivery()

    report("delivered", delivery, timestamp=factories.NOW.replace(tzinfo=None))

    delivery.refresh_from_db()
    assert delivery.event_at == factories.NOW


def test_an_impossible_timestamp_is_replaced_by_the_current_time() -> None:
    delivery = create_delivery()
    east = timezone(timedelta(hours=14))

    report("delivered", delivery, timestamp=datetime(1, 1, 1, tzinfo=east))

    delivery.refresh_from_db()
    assert delivery.event == Event.DELIVERED
    assert delivery.event_at is not None
    assert delivery.event_at > factories.NOW


def test_a_missing_timestamp_is_replaced_by_the_current_time() -> None:
    delivery = create_delivery()

    report("delivered", delivery, timestamp=None)

    delivery.refresh_from_db()
    assert delivery.event_at is not None
    assert delivery.event_at - factories.NOW > timedelta(0)
