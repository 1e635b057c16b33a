"""The receipt of an edition: what became of each delivery, and whether it balances."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count

from newsletter.models import Delivery, Edition
from subscribers.models import Subscriber

State = Delivery.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The deliveries of one edition by state; each one ever opened is in exactly one state."""

    date: date
    opened: int
    states: dict[str, int]
    # Why deliveries were cancelled, and what the provider has reported.
    cancellation_reasons: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    # Active readers without a delivery: not due yet, or their time passed without this edition.
    readers_without_delivery: int = 0

    @property
    def balances(self) -> bool:
        return self.opened == sum(self.states.values())

    @property
    def is_clean(self) -> bool:
        """Return whether the receipt balances and no delivery is unknown."""
        return self.balances and not self.states[State.UNKNOWN]

    def as_dict(self) -> dict[str, Any]:
        return {
            "date": self.date.isoformat(),
            "opened": self.opened,
            **self.states,
            "balances": self.balances,
            "cancelled_because": self.cancellation_reasons,
            "provider_reported": self.events,
            "active_readers_not_opened": self.readers_without_delivery,
        }

    def __str__(self) -> str:
        parts = " + ".join(f"{count} {state}" for state, count in self.states.items())
        sign = "=" if self.balances else "≠"
        line = f"Edition {self.date}: {self.opened} opened {sign} {parts}"
        details = [f"{count} {reason}" for reason, count in self.cancellation_reasons.items()]
        if details:
            line += f" (cancelled: {', '.join(details)})"
        if self.readers_without_delivery:
            line += f"; {self.readers_without_delivery} active readers without it so far"
        return f"{line}."


def for_edition(edition: Edition) -> Receipt:
    rows = Delivery.objects.filter(edition=edition)
    edition.refresh_from_db(fields=["opened"])
    states = tally(rows.values_list("state").annotate(Count("pk")))
    return Receipt(
        date=edition.date,
        opened=edition.opened,
        states={state.value: states[state.value] for state in State},
        cancellation_reasons=dict(
            tally(rows.exclude(reason="").values_list("reason").annotate(Count("pk")))
        ),
        events=dict(tally(rows.exclude(event="").values_list("event").annotate(Count("pk")))),
        readers_without_delivery=Subscriber.objects.mailable()
        .exclude(pk__in=rows.filter(subscriber__isnull=False).values("subscriber"))
        .count(),
    )


def tally(pairs: Any) -> Counter[str]:
    return Counter(dict(pairs))
