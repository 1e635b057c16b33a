"""Open deliveries: find the readers who are due, and create one delivery for each.

Guarantee: each reader has at most one delivery per edition and at most one per local date (both are
unique constraints too). Readers are locked page by page, so two ticks at once open nothing twice;
`next_digest_at` and `last_digest_on` are written in the same transaction as the deliveries.

Cost: a constant number of queries per page of 1,000 readers.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F

from newsletter.editions import publish
from newsletter.editions.coverage import covered_after, last_edition_dates
from newsletter.models import Delivery, Edition
from subscribers import suppression
from subscribers.models import Subscriber

logger = logging.getLogger(__name__)

# A digest that would be later than this is not sent: nobody wants the morning's mail at midnight.
MAX_LATENESS = timedelta(hours=12)
# Readers opened in one transaction.
READER_PAGE_SIZE = 1000


def open_due(*, now: datetime, edition: Edition | None = None) -> Counter[str]:
    """Open a delivery for each reader who is due, and schedule their next digest.

    Use the current edition, or the one that an operator names. Return the number of deliveries
    `opened`, `expired` (opened too late to be sent) and `suppressed`, and of readers whose time passed
    without an edition (`missed`). While there is no edition, readers wait for one until it would be
    too late. Safe to repeat, and to run twice at once.
    """
    counts: Counter[str] = Counter()
    current = edition or publish.current_edition(now=now)
    while open_due_page(current, now=now, counts=counts) == READER_PAGE_SIZE:
        pass
    if counts:
        logger.info("edition %s: %s", current, format_counts(counts))
    return counts


def format_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)


@transaction.atomic
def open_due_page(current_edition: Edition | None, *, now: datetime, counts: Counter[str]) -> int:
    """Open the deliveries of one page of due readers; return the number of readers."""
    due = lock_due_page(now if current_edition else now - MAX_LATENESS)
    for edition, readers in group_by_edition(due, current_edition, now=now).items():
        if edition is None:
            counts["missed"] += len(readers)
        else:
            opened = open_deliveries(readers, edition, now=now, scheduled=True)
            counts.update(row.state if row.settled_at else "opened" for row in opened)
    for reader in due:
        schedule_next_digest(reader)
    Subscriber.objects.bulk_update(due, ["next_digest_at", "last_digest_on"])
    return len(due)


def lock_due_page(cutoff: datetime) -> list[Subscriber]:
    """Return a page of due readers, locked; skip those that another tick has locked."""
    return list(
        Subscriber.objects.mailable()
        .filter(next_digest_at__lte=cutoff, preferences__isnull=False)
        .select_related("preferences")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("next_digest_at", "pk")[:READER_PAGE_SIZE]
    )


def group_by_edition(
    due_readers: Sequence[Subscriber], current_edition: Edition | None, *, now: datetime
) -> dict[Edition | None, list[Subscriber]]:
    """Group readers by the edition they get: the current one or, after an outage, that of their time."""
    edition_by_slot: dict[datetime, Edition | None] = {}
    groups: defaultdict[Edition | None, list[Subscriber]] = defaultdict(list)
    for reader in due_readers:
        slot = due_time(reader)
        if slot + MAX_LATENESS > now:
            groups[current_edition].append(reader)
            continue
        if slot not in edition_by_slot:
            edition_by_slot[slot] = publish.current_edition(now=slot)
        groups[edition_by_slot[slot]].append(reader)
    return groups


def schedule_next_digest(reader: Subscriber) -> None:
    """Mark the local date as done, and set the next digest, even if its time has passed too."""
    slot = due_time(reader)
    reader.last_digest_on = due_local_date(reader)
    reader.next_digest_at = reader.preferences.next_digest_at(
        after=slot, last_digest_date=reader.last_digest_on
    )


def due_time(reader: Subscriber) -> datetime:
    """Return when the reader's digest became due; raise ValueError if it is not due."""
    if reader.next_digest_at is None:
        raise ValueError(f"Subscriber {reader} is not due.")
    return reader.next_digest_at


def due_local_date(reader: Subscriber) -> date:
    """Return the date of the due digest in the reader's time zone."""
    return due_time(reader).astimezone(reader.preferences.zone).date()


def open_deliveries(
    readers: Sequence[Subscriber], edition: Edition, *, now: datetime, scheduled: bool
) -> list[Delivery]:
    """Create the edition's deliveries for these readers, except those who have theirs already.

    Call this in a transaction that holds the locks of the readers' rows. Scheduled deliveries have
    the reader's local date; the others were asked for by an operator. Return the new rows.
    """
    local_dates = {reader.pk: due_local_date(reader) if scheduled else None for reader in readers}
    served = already_served(edition, local_dates)
    last_dates = last_edition_dates([*local_dates], before=edition.date)
    suppressed = suppression.suppressed_emails([reader.email for reader in readers])
    opened = []
    for reader in readers:
        if reader.pk in served:
            continue
        delivery = Delivery(
            edition=edition,
            subscriber=reader,
            opened_at=now,
            local_date=local_dates[reader.pk],
            after=covered_after(
                edition, reader.preferences, last_edition_date=last_dates.get(reader.pk)
            ),
            expires_at=(due_time(reader) if scheduled else now) + MAX_LATENESS,
        )
        settle_if_unsendable(delivery, is_suppressed=reader.email in suppressed, now=now)
        opened.append(delivery)
    insert_deliveries(edition, opened)
    return opened


def already_served(edition: Edition, local_dates: Mapping[int, date | None]) -> set[int]:
    """Return the readers who have a delivery of this edition, or one on that local date."""
    existing = Delivery.objects.filter(subscriber__in=local_dates)
    served = set(existing.filter(edition=edition).values_list("subscriber", flat=True))
    on_dates = existing.filter(local_date__in=set(local_dates.values()) - {None})
    for subscriber_id, local_date in on_dates.values_list("subscriber", "local_date"):
        if local_dates[subscriber_id] == local_date:
            served.add(subscriber_id)
    return served


def settle_if_unsendable(delivery: Delivery, *, is_suppressed: bool, now: datetime) -> None:
    """Settle a new delivery that is too late, or to a suppressed address, before it is stored."""
    if delivery.expires_at <= now:
        delivery.state, delivery.settled_at = Delivery.State.EXPIRED, now
    elif is_suppressed:
        delivery.state, delivery.settled_at = Delivery.State.SUPPRESSED, now


def insert_deliveries(edition: Edition, deliveries: Sequence[Delivery]) -> None:
    """Insert the rows, and count them in the edition, whose receipt must balance."""
    Delivery.objects.bulk_create(deliveries)
    if deliveries:
        Edition.objects.filter(pk=edition.pk).update(opened=F("opened") + len(deliveries))


def open_unscheduled(
    edition: Edition, *, now: datetime, subscriber_ids: Sequence[int] | None = None
) -> list[Delivery]:
    """Open the edition at once for all readers, or for those named, whatever their hour."""
    opened: list[Delivery] = []
    last_pk = 0
    while True:
        readers = Subscriber.objects.mailable().filter(pk__gt=last_pk, preferences__isnull=False)
        if subscriber_ids is not None:
            readers = readers.filter(pk__in=subscriber_ids)
        with transaction.atomic():
            page = list(
                readers.select_related("preferences")
                .select_for_update(of=("self",))
                .order_by("pk")[:READER_PAGE_SIZE]
            )
            if not page:
                return opened
            opened += open_deliveries(page, edition, now=now, scheduled=False)
        last_pk = page[-1].pk
