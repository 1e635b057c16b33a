"""An edition's receipt: shows whether every delivery that was opened is accounted for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count
from django.template.defaultfilters import pluralize

from newsletter.models import Delivery, Edition
from subscribers.models import Subscriber

State = Delivery.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The counts of an edition's deliveries: opened, and by state, reason and provider event."""

    date: date
    opened: int
    states: dict[str, int]
    # Cancelled deliveries by reason, and deliveries by the furthest event reported.
    cancellation_reasons: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    # Active readers without a delivery: not due yet, or their send time passed without an edition.
    readers_without_delivery: int = 0

    @property
    def balances(self) -> bool:
        """Return whether the states add up to the deliveries opened: none was lost or added."""
        return self.opened == sum(self.states.values())

    @property
    def is_clean(self) -> bool:
        """Return whether the receipt balances and no delivery has an unknown outcome."""
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
            count = self.readers_without_delivery
            line += f"; {count} active reader{pluralize(count)} without a delivery so far"
        return f"{line}."


def for_edition(edition: Edition) -> Receipt:
    """Return an edition's receipt, in five queries; read the counter `opened` afresh."""
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
