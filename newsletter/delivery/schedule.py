"""Who is due now, in their own time zone: opening one delivery for each."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F

from newsletter.editions import publish
from newsletter.editions.coverage import covered_after, last_edition_dates
from newsletter.models import Delivery, Edition
from subscribers import suppression
from subscribers.models import Subscriber

logger = logging.getLogger(__name__)

# A digest that is later than this is not sent: never yesterday's news at midnight.
MAX_LATENESS = timedelta(hours=12)
# Readers opened in one transaction.
READER_PAGE_SIZE = 1000


def open_due(*, now: datetime, edition: Edition | None = None) -> Counter[str]:
    """Open a delivery of the newest edition for each reader who is due, and set their next time.

    An operator may name another edition.

    Counts the deliveries opened, those `expired` (opened too late to be sent) or `suppressed`, and
    the readers whose time passed without any edition (`missed`). While there is no edition readers wait for
    one, as long as it would not come too late.
    """
    counts: Counter[str] = Counter()
    newest = edition or publish.current_edition(now=now)
    while open_due_page(newest, now=now, counts=counts) == READER_PAGE_SIZE:
        pass
    if counts:
        logger.info("edition %s: %s", newest, format_counts(counts))
    return counts


def format_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count)


@transaction.atomic
def open_due_page(current_edition: Edition | None, *, now: datetime, counts: Counter[str]) -> int:
    """One page of due readers; returns how many there were."""
    due = lock_due_page(now if current_edition else now - MAX_LATENESS)
    for edition, readers in group_by_edition(due, current_edition, now=now).items():
        if edition is None:
            counts["missed"] += len(readers)
        else:
            opened = open_deliveries(readers, edition, now=now, scheduled=True)
            counts.update(each.state if each.settled_at else "opened" for each in opened)
    for reader in due:
        schedule_next_digest(reader)
    Subscriber.objects.bulk_update(due, ["next_digest_at", "last_digest_on"])
    return len(due)


def lock_due_page(cutoff: datetime) -> list[Subscriber]:
    """A page of the readers who are due, locked against a second tick."""
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
    """The edition each reader is due: the newest or, after a long outage, the one of their time."""
    of_slot: dict[datetime, Edition | None] = {}
    groups: defaultdict[Edition | None, list[Subscriber]] = defaultdict(list)
    for reader in due_readers:
        slot = due_time(reader)
        if slot + MAX_LATENESS > now:
            groups[current_edition].append(reader)
            continue
        if slot not in of_slot:
            of_slot[slot] = publish.current_edition(now=slot)
        groups[of_slot[slot]].append(reader)
    return groups


def schedule_next_digest(reader: Subscriber) -> None:
    """This local date is done; the next wanted one is due, even if its time has passed too."""
    wanted, slot = reader.preferences, due_time(reader)
    reader.last_digest_on = due_local_date(reader)
    reader.next_digest_at = wanted.next_digest_at(
        after=slot, last_digest_date=reader.last_digest_on
    )


def due_time(reader: Subscriber) -> datetime:
    """When the digest that is due was due."""
    if reader.next_digest_at is None:
        raise ValueError(f"Subscriber {reader} is not due.")
    return reader.next_digest_at


def due_local_date(reader: Subscriber) -> date:
    """The reader's own date of the digest that is due."""
    return due_time(reader).astimezone(reader.preferences.zone).date()


def open_deliveries(
    readers: Sequence[Subscriber], edition: Edition, *, now: datetime, scheduled: bool
) -> list[Delivery]:
    """Open the edition's deliveries for these readers, save for those who are served already.

    Call it in a transaction that has locked the readers' rows. Scheduled deliveries carry the
    reader's own date and expire; the others were asked for now, by hand.
    """
    ids = [reader.pk for reader in readers]
    local_dates = {reader.pk: due_local_date(reader) if scheduled else None for reader in readers}
    mine = Delivery.objects.filter(subscriber__in=ids)
    served = set(mine.filter(edition=edition).values_list("subscriber", flat=True))
    on_those_dates = mine.filter(local_date__in=set(local_dates.values()) - {None})
    dates = set(on_those_dates.values_list("subscriber", "local_date"))
    last = last_edition_dates(ids, before=edition.date)
    shunned = suppression.suppressed_emails([reader.email for reader in readers])
    opened = []
    for reader in readers:
        local_date = local_dates[reader.pk]
        if reader.pk in served or (reader.pk, local_date) in dates:
            continue
        delivery = Delivery(
            edition=edition,
            subscriber=reader,
            opened_at=now,
            local_date=local_date,
            after=covered_after(edition, reader.preferences, last_edition_date=last.get(reader.pk)),
            expires_at=(due_time(reader) if scheduled else now) + MAX_LATENESS,
        )
        if delivery.expires_at <= now:
            delivery.state, delivery.settled_at = Delivery.State.EXPIRED, now
        elif reader.email in shunned:
            delivery.state, delivery.settled_at = Delivery.State.SUPPRESSED, now
        opened.append(delivery)
    Delivery.objects.bulk_create(opened)
    if opened:
        Edition.objects.filter(pk=edition.pk).update(opened=F("opened") + len(opened))
    return opened


def open_unscheduled(
    edition: Edition, *, now: datetime, subscriber_ids: Sequence[int] | None = None
) -> list[Delivery]:
    """Open the edition by hand for everybody, or `only` these readers, whatever their hour."""
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
