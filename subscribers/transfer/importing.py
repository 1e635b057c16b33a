"""Add subscribers for an operator: one at the command line, or many from a CSV file.

Guarantee: no import adds a suppressed address, changes the status of a subscriber who left, or
adds anybody twice. Unless the operator vouches for them (`confirmed`), new subscribers are pending
and get one confirmation mail.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from papers.models import Topic
from papers.topics.follows import FollowTarget
from subscribers import send_time, suppression
from subscribers.addresses import InvalidAddressError, normalise_address
from subscribers.models import (
    DEFAULT_DIGEST_HOUR,
    MAX_DIGEST_PAPERS,
    MIN_DIGEST_PAPERS,
    Attitude,
    Follow,
    Preferences,
    Subscriber,
    TopicChoice,
)
from subscribers.preferences import choices, fields
from subscribers.signup import consent, lifecycle
from subscribers.signup.consent import FormKind
from subscribers.transfer import formats

# Columns of follows. Semicolons separate several in one cell.
FOLLOW_PARSERS = {
    "categories": fields.CategoriesField(),
    "authors": fields.authors_field(),
    "keywords": fields.keywords_field(),
}
# Columns of other preferences.
PREFERENCE_PARSERS: dict[str, forms.Field] = {
    "frequency": forms.ChoiceField(choices=Preferences.Frequency),
    "weekday": forms.TypedChoiceField(choices=Preferences.Weekday, coerce=int),
    "length": forms.IntegerField(min_value=MIN_DIGEST_PAPERS, max_value=MAX_DIGEST_PAPERS),
    "detail": forms.ChoiceField(choices=Preferences.Detail),
    "minimum": forms.IntegerField(min_value=1, max_value=MAX_DIGEST_PAPERS),
    "paused_until": forms.DateField(),
    "learning": forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda value: value == "yes"
    ),
}
ATTITUDE_BY_COLUMN = {
    "topics": Attitude.FOLLOW,
    "preferred": Attitude.PREFER,
    "muted": Attitude.MUTE,
}
COLUMNS = (
    "email",
    *ATTITUDE_BY_COLUMN,
    *FOLLOW_PARSERS,
    "timezone",
    "hour",
    *PREFERENCE_PARSERS,
    "asked_at",
    "confirmed_at",
)
# Rows in one transaction.
IMPORT_BATCH_SIZE = 500


class InvalidRowError(ValueError):
    """A row that cannot be added. The message is a sentence without the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One subscriber to add or update. None means that the row has no value."""

    email: str
    topics: tuple[str, ...] | None = None
    timezone: str | None = None
    hour: int | None = None
    follows: Mapping[FollowTarget, str] = field(default_factory=dict)
    # Attitudes to preferred and muted topics, by slug.
    topic_preferences: Mapping[str, str] = field(default_factory=dict)
    # Other preferences, by model field.
    preference_values: Mapping[str, Any] = field(default_factory=dict)
    # When they signed up and confirmed at the service that kept the list.
    asked_at: datetime | None = None
    confirmed_at: datetime | None = None


def parse_row(values: Mapping[str, Any], *, known_topics: AbstractSet[str]) -> ImportRow:
    """Validate the values of one row, by field; None and blank values count as missing.

    Raise `InvalidRowError` for the first value that is invalid.
    """
    cells = {name: clean_cell(values.get(name)) for name in COLUMNS}
    attitudes = parse_topic_preferences(cells, known_topics)
    followed = tuple(slug for slug, attitude in attitudes.items() if attitude == Attitude.FOLLOW)
    zone = cells["timezone"] or None
    if zone and zone not in send_time.timezone_names():
        raise InvalidRowError(f"Unknown time zone {zone[:64]!r}: use a name like Europe/Berlin.")
    if cells["hour"] and not re.fullmatch(r"0?[0-9]|1[0-9]|2[0-3]", cells["hour"]):
        raise InvalidRowError(
            f"The hour must be a number from 0 to 23, not {cells['hour'][:64]!r}."
        )
    hour = int(cells["hour"]) if cells["hour"] else None
    try:
        email = normalise_address(cells["email"])
    except InvalidAddressError as error:
        raise InvalidRowError(str(error)) from None
    return ImportRow(
        email=email,
        topics=followed if cells["topics"] else None,
        timezone=zone,
        hour=hour,
        follows=parse_follows(cells),
        topic_preferences={
            slug: attitude for slug, attitude in attitudes.items() if attitude != Attitude.FOLLOW
        },
        preference_values=parse_preferences(cells),
        asked_at=formats.parse_utc_datetime(cells["asked_at"]),
        confirmed_at=formats.parse_utc_datetime(cells["confirmed_at"]),
    )


def clean_cell(value: Any) -> str:
    return "" if value is None else str(value).strip()


def parse_topic_preferences(
    cells: Mapping[str, str], known_topics: AbstractSet[str]
) -> dict[str, str]:
    """Return attitudes by slug; for a topic in several columns the last one counts."""
    attitudes: dict[str, str] = {}
    for column, attitude in ATTITUDE_BY_COLUMN.items():
        for slug in filter(None, re.split(r"[,;\s]+", cells[column])):
            if slug not in known_topics:
                raise InvalidRowError(f"Unknown topic {slug[:64]!r}.")
            attitudes[slug] = attitude
    return attitudes


def parse_preferences(cells: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, form_field in PREFERENCE_PARSERS.items():
        if cells[name]:
            try:
                values[name] = form_field.clean(cells[name])
            except ValidationError as error:
                raise InvalidRowError(f"Invalid {name}: {' '.join(error.messages)}") from None
    return values


def parse_follows(cells: Mapping[str, str]) -> dict[FollowTarget, str]:
    follows: dict[FollowTarget, str] = {}
    for name, form_field in FOLLOW_PARSERS.items():
        value = form_field.widget.value_from_datadict({name: cells[name]}, {}, name)
        try:
            follows |= form_field.clean(value)
        except ValidationError as error:
            raise InvalidRowError(" ".join(error.messages)) from None
    return follows


def load_topic_slugs() -> frozenset[str]:
    return frozenset(Topic.objects.values_list("slug", flat=True))


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
    """Change the preferences that the row has values for; its follows replace those of their kind."""
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
    """Insert subscribers with preferences, choices and consents: active if `confirmed`, else pending.

    For pending ones this requests a confirmation mail.
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
