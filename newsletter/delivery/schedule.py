"""Open deliveries of an edition for the readers whose send time has come.

Guarantee: a reader has at most one delivery of each edition and one of each local date, and every
due reader gets a next send time. Readers are taken in pages. One transaction locks a page of
subscribers, inserts their deliveries, counts them in the edition and sets the next send times. Two
unique constraints of `Delivery` enforce the first part even without the locks: an insert that
breaks one fails, and the page is rolled back.

Who writes what:
- Only this module inserts `Delivery` rows: `pending`, or settled at once as `expired` or
  `suppressed`. newsletter/delivery/claiming.py takes them from there.
- Only this module adds to `Edition.opened`, always in the transaction of the inserts: the receipt
  compares it with the rows. Do not insert a delivery anywhere else.
- For due readers it sets `Subscriber.last_digest_on` and `next_digest_at`. The latter also changes
  when a reader confirms, leaves or saves preferences.

A crash rolls back the page in progress; its readers are still due, and the next tick takes them.
Two ticks at once open nothing twice: on PostgreSQL the second skips locked readers, on SQLite it
waits until they are no longer due.

Cost: 11 queries for a page of up to READER_PAGE_SIZE readers (the test counts them); after an
outage of more than MAX_LATENESS, one more for each missed send time.
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

# A digest this late is not sent: nobody wants the morning's papers at midnight.
MAX_LATENESS = timedelta(hours=12)
# Readers in one transaction. A larger page holds its locks for longer.
READER_PAGE_SIZE = 1000


def open_due(*, now: datetime, edition: Edition | None = None) -> Counter[str]:
    """Open a delivery of the current edition, or of `edition`, for each due reader.

    Return the number of deliveries `opened`, of those settled at once as `expired` or `suppressed`,
    and of readers who `missed` a day because it had no edition. Before an edition is published,
    due readers wait for it for up to MAX_LATENESS. Safe to repeat: nobody is due twice.
    """
    counts: Counter[str] = Counter()
    current_edition = edition or publish.current_edition(now=now)
    while open_due_page(current_edition, now=now, counts=counts) == READER_PAGE_SIZE:
        pass
    if counts:
        logger.info("edition %s: %s", current_edition, format_counts(counts))
    return counts


def format_counts(counts: Counter[str]) -> str:
    """Return "2 expired, 10 opened": the counts above zero, by name."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)


@transaction.atomic
def open_due_page(current_edition: Edition | None, *, now: datetime, counts: Counter[str]) -> int:
    """Open deliveries for one page of due readers; return how many readers there were."""
    # Without an edition take only readers for whom it is too late to wait any longer.
    due_readers = lock_due_page(now if current_edition else now - MAX_LATENESS)
    groups = group_by_edition(due_readers, current_edition, now=now)
    for edition, readers in groups.items():
        if edition is None:
            counts["missed"] += len(readers)
        else:
            deliveries = open_deliveries(readers, edition, now=now, scheduled=True)
            counts.update(
                delivery.state if delivery.settled_at else "opened" for delivery in deliveries
            )
    for reader in due_readers:
        schedule_next_digest(reader)
    Subscriber.objects.bulk_update(due_readers, ["next_digest_at", "last_digest_on"])
    return len(due_readers)


def lock_due_page(cutoff: datetime) -> list[Subscriber]:
    """Return a page of the readers who were due by the cutoff, locked against other ticks."""
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
    """Return the readers by the edition they are due.

    That is the current edition; for a reader whose send time is longer ago than MAX_LATENESS, the
    one that was current then, or None.
    """
    past_editions: dict[datetime, Edition | None] = {}
    groups: defaultdict[Edition | None, list[Subscriber]] = defaultdict(list)
    for reader in due_readers:
        due_at = due_time(reader)
        if due_at + MAX_LATENESS > now:
            groups[current_edition].append(reader)
            continue
        if due_at not in past_editions:
            past_editions[due_at] = publish.current_edition(now=due_at)
        groups[past_editions[due_at]].append(reader)
    return groups


def schedule_next_digest(reader: Subscriber) -> None:
    """Mark the due local date as served and set the next send time on the unsaved reader.

    The next send time is the first one after the due time, not after now: it may be in the past
    after an outage, and is then due at once.
    """
    due_at, local_date = due_time(reader), due_local_date(reader)
    reader.last_digest_on = local_date
    reader.next_digest_at = reader.preferences.next_digest_at(
        after=due_at, last_digest_date=local_date
    )


def due_time(reader: Subscriber) -> datetime:
    """Return when the reader's due digest was due; raise ValueError if none is scheduled."""
    if reader.next_digest_at is None:
        raise ValueError(f"Subscriber {reader} is not due.")
    return reader.next_digest_at


def due_local_date(reader: Subscriber) -> date:
    """Return the date of the due digest in the reader's time zone."""
    return due_time(reader).astimezone(reader.preferences.zone).date()


def open_deliveries(
    readers: Sequence[Subscriber], edition: Edition, *, now: datetime, scheduled: bool
) -> list[Delivery]:
    """Insert and return the edition's deliveries for the readers who are not served already.

    Call it in a transaction that holds locks on the readers' rows: without them, two callers could
    both see that a reader is not served. Scheduled deliveries carry the reader's local date and
    expire MAX_LATENESS after it was due; the others are opened by hand and count from now.
    """
    local_dates = {reader.pk: due_local_date(reader) if scheduled else None for reader in readers}
    served = already_served(edition, local_dates)
    last_dates = last_edition_dates(local_dates, before=edition.date)
    suppressed = suppression.suppressed_emails([reader.email for reader in readers])
    deliveries = [
        new_delivery(
            reader,
            edition,
            now=now,
            due_at=due_time(reader) if scheduled else now,
            local_date=local_dates[reader.pk],
            last_edition_date=last_dates.get(reader.pk),
            is_suppressed=reader.email in suppressed,
        )
        for reader in readers
        if reader.pk not in served
    ]
    Delivery.objects.bulk_create(deliveries)
    if deliveries:
        Edition.objects.filter(pk=edition.pk).update(opened=F("opened") + len(deliveries))
    return deliveries


def already_served(edition: Edition, local_dates: Mapping[int, date | None]) -> set[int]:
    """Return the ids of the readers who have a delivery of the edition or of their local date.

    `local_dates` has each reader's local date by id, or None if only the edition counts.
    """
    deliveries = Delivery.objects.filter(subscriber__in=local_dates)
    of_edition = deliveries.filter(edition=edition).values_list("subscriber", flat=True)
    of_dates = deliveries.filter(local_date__in=set(local_dates.values()) - {None})
    dates = set(of_dates.values_list("subscriber", "local_date"))
    return {
        *of_edition,
        *(pk for pk, local_date in local_dates.items() if (pk, local_date) in dates),
    }


def new_delivery(
    reader: Subscriber,
    edition: Edition,
    *,
    now: datetime,
    due_at: datetime,
    local_date: date | None,
    last_edition_date: date | None,
    is_suppressed: bool,
) -> Delivery:
    """Return an unsaved delivery: pending, or settled if it is too late or suppressed (pure)."""
    delivery = Delivery(
        edition=edition,
        subscriber=reader,
        opened_at=now,
        local_date=local_date,
        after=covered_after(edition, reader.preferences, last_edition_date=last_edition_date),
        expires_at=due_at + MAX_LATENESS,
    )
    if delivery.expires_at <= now:
        delivery.state, delivery.settled_at = Delivery.State.EXPIRED, now
    elif is_suppressed:
        delivery.state, delivery.settled_at = Delivery.State.SUPPRESSED, now
    return delivery


def open_unscheduled(
    edition: Edition, *, now: datetime, subscriber_ids: Sequence[int] | None = None
) -> list[Delivery]:
    """Open the edition by hand for all active readers, or for `subscriber_ids`; ignore send times.

    Return the new deliveries. Safe to repeat: a reader who has this edition gets no second one.
    """
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
