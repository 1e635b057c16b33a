"""newsletter/editions/receipt.py"""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.editions import receipt
from newsletter.models import Delivery, Edition
from tests import factories

pytestmark = pytest.mark.django_db

State = Delivery.State


def delivered(edition: Edition, state: str, **fields: Any) -> Delivery:
    touched: dict[str, Any] = (
        {} if state == State.PENDING else {"batch": factories.batch(edition=edition)}
    )
    touched |= (
        {"attempted_at": factories.NOW} if state in {State.HANDED_OVER, State.UNKNOWN} else {}
    )
    if state == State.CANCELLED:
        touched["reason"] = Delivery.CancellationReason.NO_MATCH
    return factories.delivery(
        edition=edition, subscriber=factories.subscriber(), state=state, **touched | fields
    )


def test_every_delivery_is_in_exactly_one_state() -> None:
    edition = factories.edition()
    for state in [*State, State.HANDED_OVER]:
        delivered(edition, state)

    found = receipt.for_edition(edition)

    assert found.states == {state.value: 1 for state in State} | {"handed_over": 2}
    assert found.opened == 9
    assert found.balances


def test_a_delivery_that_vanished_is_noticed() -> None:
    edition = factories.edition()
    delivered(edition, State.PENDING)
    Delivery.objects.all().delete()

    found = receipt.for_edition(edition)

    assert not found.balances
    assert "1 opened ≠ 0 pending" in str(found)


@pytest.mark.parametrize("state", State)
def test_only_an_unknown_outcome_spoils_a_balanced_receipt(state: str) -> None:
    edition = factories.edition()
    delivered(edition, state)

    assert receipt.for_edition(edition).is_clean == (state != State.UNKNOWN)


def test_it_tells_why_deliveries_were_cancelled_and_what_providers_reported() -> None:
    edition = factories.edition()
    delivered(edition, State.CANCELLED)
    delivered(edition, State.HANDED_OVER, event=Delivery.Event.BOUNCED)

    found = receipt.for_edition(edition).as_dict()

    assert found["cancelled_because"] == {"no_match": 1}
    assert found["provider_reported"] == {"bounced": 1}


def test_active_readers_who_were_not_opened_are_counted() -> None:
    edition = factories.edition()
    delivered(edition, State.HANDED_OVER)
    factories.subscriber()
    factories.subscriber(status="pending")

    assert receipt.for_edition(edition).readers_without_delivery == 1


def test_another_edition_s_deliveries_are_not_counted() -> None:
    edition, other = factories.edition(), factories.edition(day=factories.TODAY.replace(day=1))
    delivered(other, State.UNKNOWN)

    assert receipt.for_edition(edition).is_clean


@pytest.mark.parametrize("deliveries", [1, 3])
def test_a_receipt_costs_the_same_queries_for_any_number(
    deliveries: int, django_assert_num_queries: Any
) -> None:
    edition = factories.edition()
    for _ in range(deliveries):
        delivered(edition, State.PENDING)

    with django_assert_num_queries(5):
        receipt.for_edition(edition)
