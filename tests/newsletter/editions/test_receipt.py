"""newsletter/editions/receipt.py"""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.editions import receipt
from newsletter.models import Delivery, Edition
from tests import factories

pytestmark = pytest.mark.django_db

State = Delivery.State


def make_delivery(edition: Edition, state: str, **fields: Any) -> Delivery:
    """A delivery in any state, with the columns that the state requires."""
    required: dict[str, Any] = {}
    if state != State.PENDING:
        required["batch"] = factories.batch(edition=edition)
    if state in {State.HANDED_OVER, State.UNKNOWN}:
        required["attempted_at"] = factories.NOW
    if state == State.CANCELLED:
        required["reason"] = Delivery.CancellationReason.NO_MATCH
    return factories.delivery(
        edition=edition, subscriber=factories.subscriber(), state=state, **required | fields
    )


def test_every_delivery_is_counted_in_exactly_one_state() -> None:
    edition = factories.edition()
    for state in [*State, State.HANDED_OVER]:
        make_delivery(edition, state)

    balance = receipt.for_edition(edition)

    assert balance.states == {state.value: 1 for state in State} | {"handed_over": 2}
    assert balance.opened == 9
    assert balance.balances


def test_a_receipt_does_not_balance_without_a_delivery_that_was_opened() -> None:
    edition = factories.edition()
    make_delivery(edition, State.PENDING)
    Delivery.objects.all().delete()

    balance = receipt.for_edition(edition)

    assert not balance.balances
    assert "1 opened ≠ 0 pending" in str(balance)


@pytest.mark.parametrize("state", State)
def test_a_balanced_receipt_is_clean_unless_an_outcome_is_unknown(state: str) -> None:
    edition = factories.edition()
    make_delivery(edition, state)

    assert receipt.for_edition(edition).is_clean == (state != State.UNKNOWN)


def test_a_receipt_counts_cancellation_reasons_and_provider_events() -> None:
    edition = factories.edition()
    make_delivery(edition, State.CANCELLED)
    make_delivery(edition, State.HANDED_OVER, event=Delivery.Event.BOUNCED)

    counts = receipt.for_edition(edition).as_dict()

    assert counts["cancelled_because"] == {"no_match": 1}
    assert counts["provider_reported"] == {"bounced": 1}


def test_active_readers_without_a_delivery_are_counted() -> None:
    edition = factories.edition()
    make_delivery(edition, State.HANDED_OVER)
    factories.subscriber()
    factories.subscriber(status="pending")

    balance = receipt.for_edition(edition)
    assert balance.readers_without_delivery == 1
    assert str(balance).endswith("; 1 active reader without a delivery so far.")


def test_another_edition_s_deliveries_are_not_counted() -> None:
    edition, other = factories.edition(), factories.edition(day=factories.TODAY.replace(day=1))
    make_delivery(other, State.UNKNOWN)

    assert receipt.for_edition(edition).is_clean


@pytest.mark.parametrize("deliveries", [1, 3])
def test_a_receipt_costs_the_same_queries_for_any_number(
    deliveries: int, django_assert_num_queries: Any
) -> None:
    edition = factories.edition()
    for _ in range(deliveries):
        make_delivery(edition, State.PENDING)

    with django_assert_num_queries(5):
        receipt.for_edition(edition)
