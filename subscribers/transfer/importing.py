"""Add subscribers for an operator: one at the command line, or many from a CSV file.

Guarantee: no import adds a suppressed address, changes the status of a subscriber who left, or
adds anybody twice. Unless the operator vouches for them (`confirmed`), new subscribers are pending
and get one confirmation mail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.db import transaction

from papers.models import Topic
from subscribers import suppression
from subscribers.models import (
    DEFAULT_DIGEST_HOUR,
    Attitude,
    Follow,
    Preferences,
    Subscriber,
    TopicChoice,
)
from subscribers.preferences import choices
from subscribers.signup import consent, lifecycle
from subscribers.signup.consent import FormKind
from subscribers.transfer.import_rows import ImportRow, InvalidRowError

# Rows in one transaction.
IMPORT_BATCH_SIZE = 500


def add_all(
    rows: Iterable[ImportRow], *, confirmed: bool, now: datetime, dry_run: bool = False
) -> Counter[str]:
    """Add the rows whose address is new, and return counts of what happened to the rows.

    Known subscribers are never changed, even if they left: their own choice is newer. Safe to
    repeat; a crash loses only the current batch. A dry run returns the same counts and
    writes nothing. Cost: about ten queries per batch of IMPORT_BATCH_SIZE.
    """
    counts: Counter[str] = Counter()
    remaining = deduplicate(rows, counts)
    while batch := list(islice(remaining, IMPORT_BATCH_SIZE)):
        with transaction.atomic():
            emails = {row.email for row in batch}
            suppressed = suppression.suppressed_emails(emails)
            existing = Subscriber.objects.filter(email__in=emails - suppressed)
            known = set(existing.values_list("email", flat=True))
            new_rows = [row for row in batch if row.email not in suppressed | known]
            if not dry_run:
                add_new(new_rows, FormKind.IMPORT, confirmed=confirmed, now=now)
        counts.update(
            added=len(new_rows),
            known=len(known),
            suppressed=len(suppressed),
            undated=sum(row.asked_at is None and row.confirmed_at is None for row in new_rows),
        )
    return +counts


def deduplicate(rows: Iterable[ImportRow], counts: Counter[str]) -> Iterator[ImportRow]:
    """Yield the first row of each address, and count the others.

    Only a 64-bit hash of each address is kept, so that long files need little memory.
    """
    seen_hashes: set[int] = set()
    for row in rows:
        if (email_hash := hash(row.email)) in seen_hashes:
            counts["repeated"] += 1
            continue
        seen_hashes.add(email_hash)
        yield row


@transaction.atomic
def add_or_update(row: ImportRow, *, confirmed: bool, now: datetime) -> Subscriber:
    """Add one subscriber, or change the preferences that the row has values for.

    Raise `InvalidRowError` if the address is suppressed or its subscriber has left: only they can
    undo that. Safe to repeat.
    """
    if suppression.is_suppressed(row.email):
        raise InvalidRowError(
            "This address is suppressed: only its owner can lift that, by signing up on the site."
        )
    subscriber = Subscriber.objects.select_for_update().filter(email=row.email).first()
    if subscriber is None:
        add_new([row], FormKind.COMMAND, confirmed=confirmed, now=now)
        return Subscriber.objects.get(email=row.email)
    if subscriber.status == Subscriber.Status.LEFT:
        raise InvalidRowError(
            "The subscriber has left: only they can subscribe again, on the site."
        )
    update_existing(subscriber, row)
    if confirmed:
        lifecycle.confirm(subscriber, now)
    subscriber.reschedule_digest(now)
    return subscriber


def update_existing(subscriber: Subscriber, row: ImportRow) -> None:
    """Change the preferences that the row has values for; replace follows kind by kind."""
    preferences = subscriber.preferences
    if row.timezone is not None:
        preferences.timezone = row.timezone
    if row.hour is not None:
        preferences.hour = row.hour
    for name, value in row.preference_values.items():
        setattr(preferences, name, value)
    preferences.save(update_fields=["timezone", "hour", *row.preference_values])
    if row.topics is not None:
        choices.follow_topics(preferences, Topic.objects.filter(slug__in=row.topics))
    for topic in Topic.objects.filter(slug__in=row.topic_preferences):
        choices.set_topic_preference(preferences, topic, row.topic_preferences[topic.slug])
    choices.set_follows(subscriber, row.follows, kinds={target.kind for target in row.follows})


def add_new(rows: Sequence[ImportRow], form: FormKind, *, confirmed: bool, now: datetime) -> None:
    """Insert subscribers with their preferences, choices and consents.

    They are active if `confirmed`; else they are pending, and a confirmation mail is requested.
    """
    subscribers = [Subscriber(email=row.email) for row in rows]
    all_preferences = [build_preferences(*pair) for pair in zip(subscribers, rows, strict=True)]
    for subscriber, preferences, row in zip(subscribers, all_preferences, rows, strict=True):
        if confirmed:
            subscriber.status = Subscriber.Status.ACTIVE
            subscriber.confirmed_at = not_in_future(row.confirmed_at, now) or now
            subscriber.next_digest_at = preferences.next_digest_at(after=now)
        else:
            subscriber.confirmation_requested_at, subscriber.confirmation_count = now, 1
    Subscriber.objects.bulk_create(subscribers)
    Preferences.objects.bulk_create(all_preferences)
    request_times = [
        not_in_future(row.asked_at, now) or not_in_future(row.confirmed_at, now) or now
        for row in rows
    ]
    consent.record_import(subscribers, form, request_times=request_times)
    insert_choices(rows, all_preferences)


def not_in_future(moment: datetime | None, now: datetime) -> datetime | None:
    """Return the time, or None if it is in the future, which no consent can be."""
    return moment if moment is not None and moment <= now else None


def build_preferences(subscriber: Subscriber, row: ImportRow) -> Preferences:
    return Preferences(
        subscriber=subscriber,
        timezone=row.timezone or "UTC",
        hour=DEFAULT_DIGEST_HOUR if row.hour is None else row.hour,
        **row.preference_values,
    )


def insert_choices(rows: Sequence[ImportRow], preferences_list: Sequence[Preferences]) -> None:
    """Insert the topic choices and follows of new subscribers."""
    topic_ids = dict(Topic.objects.values_list("slug", "pk"))
    pairs = list(zip(preferences_list, rows, strict=True))
    TopicChoice.objects.bulk_create(
        TopicChoice(preferences=preferences, topic_id=topic_ids[slug], attitude=attitude)
        for preferences, row in pairs
        for slug, attitude in {
            **dict.fromkeys(row.topics or (), Attitude.FOLLOW),
            **row.topic_preferences,
        }.items()
    )
    Follow.objects.bulk_create(
        Follow(subscriber=preferences.subscriber, kind=target.kind, key=target.key, label=label)
        for preferences, row in pairs
        for target, label in row.follows.items()
    )
