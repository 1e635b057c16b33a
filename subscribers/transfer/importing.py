"""Readers whom an operator brings in: one at the shell, or many in a CSV file."""

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

# What may be followed besides topics, and how it is read; more than one with a ; between.
FOLLOW_PARSERS = {
    "categories": fields.CategoriesField(),
    "authors": fields.authors_field(),
    "keywords": fields.keywords_field(),
}
# What else of the preferences may be said, and how it is read.
PREFERENCE_PARSERS: dict[str, forms.Field] = {
    "frequency": forms.ChoiceField(choices=Preferences.Frequency),
    "weekday": forms.TypedChoiceField(choices=Preferences.Weekday, coerce=int),
    "length": forms.IntegerField(min_value=MIN_DIGEST_PAPERS, max_value=MAX_DIGEST_PAPERS),
    "detail": forms.ChoiceField(choices=Preferences.Detail),
    "minimum": forms.IntegerField(min_value=1, max_value=MAX_DIGEST_PAPERS),
    "paused_until": forms.DateField(),
    "learning": forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda word: word == "yes"
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
# Readers added in one transaction.
IMPORT_BATCH_SIZE = 500


class InvalidRowError(ValueError):
    """Why a reader cannot be added as asked, in a sentence without the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One reader to add; none means: not said."""

    email: str
    topics: tuple[str, ...] | None = None
    timezone: str | None = None
    hour: int | None = None
    follows: Mapping[FollowTarget, str] = field(default_factory=dict)
    # Topics that are preferred or muted, and what else is said of the preferences.
    topic_preferences: Mapping[str, str] = field(default_factory=dict)
    preference_values: Mapping[str, Any] = field(default_factory=dict)
    # When they asked, and said yes, to whoever kept the list.
    asked_at: datetime | None = None
    confirmed_at: datetime | None = None


def parse_row(values: Mapping[str, Any], *, known_topics: AbstractSet[str]) -> ImportRow:
    """What was written about one reader, checked; empty fields count as not said."""
    given = {name: values.get(name) for name in COLUMNS}
    said = {name: "" if value is None else str(value).strip() for name, value in given.items()}
    attitudes = parse_topic_preferences(said, known_topics)
    topics = tuple(slug for slug, word in attitudes.items() if word == Attitude.FOLLOW)
    zone = said["timezone"] or None
    if zone and zone not in send_time.timezone_names():
        raise InvalidRowError(f"There is no time zone {zone[:64]!r}: they look like Europe/Berlin.")
    if said["hour"] and not re.fullmatch(r"0?[0-9]|1[0-9]|2[0-3]", said["hour"]):
        raise InvalidRowError(f"The hour must be a number from 0 to 23, not {said['hour'][:64]!r}.")
    hour = int(said["hour"]) if said["hour"] else None
    try:
        email = normalise_address(said["email"])
    except InvalidAddressError as error:
        raise InvalidRowError(str(error)) from None
    return ImportRow(
        email=email,
        topics=topics if said["topics"] else None,
        timezone=zone,
        hour=hour,
        follows=parse_follows(said),
        topic_preferences={
            slug: word for slug, word in attitudes.items() if word != Attitude.FOLLOW
        },
        preference_values=parse_preferences(said),
        asked_at=formats.parse_utc_datetime(said["asked_at"]),
        confirmed_at=formats.parse_utc_datetime(said["confirmed_at"]),
    )


def parse_topic_preferences(
    cells: Mapping[str, str], known_topics: AbstractSet[str]
) -> dict[str, str]:
    """Slug to what they think of it; what is muted is not followed too."""
    found: dict[str, str] = {}
    for column, attitude in ATTITUDE_BY_COLUMN.items():
        for slug in filter(None, re.split(r"[,;\s]+", cells[column])):
            if slug not in known_topics:
                raise InvalidRowError(f"There is no topic {slug[:64]!r}.")
            found[slug] = attitude
    return found


def parse_preferences(cells: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, reader in PREFERENCE_PARSERS.items():
        if cells[name]:
            try:
                found[name] = reader.clean(cells[name])
            except ValidationError as error:
                raise InvalidRowError(
                    f"The {name} cannot be that: {' '.join(error.messages)}"
                ) from None
    return found


def parse_follows(cells: Mapping[str, str]) -> dict[FollowTarget, str]:
    found: dict[FollowTarget, str] = {}
    for name, reader in FOLLOW_PARSERS.items():
        try:
            found |= reader.clean(reader.widget.value_from_datadict({name: cells[name]}, {}, name))
        except ValidationError as error:
            raise InvalidRowError(" ".join(error.messages)) from None
    return found


def load_topic_slugs() -> frozenset[str]:
    return frozenset(Topic.objects.values_list("slug", flat=True))


def add_all(
    rows: Iterable[ImportRow], *, confirmed: bool, now: datetime, dry_run: bool = False
) -> Counter[str]:
    """Add the new ones, page by page, and count what became of each row.

    Who is known already, even as having left, is not touched: their own choice is newer. A dry run
    counts the same and writes nothing.
    """
    counts: Counter[str] = Counter()
    remaining = deduplicate(rows, counts)
    while page := list(islice(remaining, IMPORT_BATCH_SIZE)):
        with transaction.atomic():
            emails = {row.email for row in page}
            suppressed = suppression.suppressed_emails(emails)
            mine = Subscriber.objects.filter(email__in=emails - suppressed)
            known = set(mine.values_list("email", flat=True))
            new = [row for row in page if row.email not in suppressed | known]
            if not dry_run:
                add_new(new, FormKind.IMPORT, confirmed=confirmed, now=now)
        undated = sum(row.asked_at is None and row.confirmed_at is None for row in new)
        counts.update(added=len(new), known=len(known), suppressed=len(suppressed), undated=undated)
    return +counts


def deduplicate(rows: Iterable[ImportRow], counts: Counter[str]) -> Iterator[ImportRow]:
    """Each address the first time. A number of 64 bits for each is all that is remembered."""
    seen: set[int] = set()
    for row in rows:
        if (number := hash(row.email)) in seen:
            counts["repeated"] += 1
            continue
        seen.add(number)
        yield row


@transaction.atomic
def add_or_update(row: ImportRow, *, confirmed: bool, now: datetime) -> Subscriber:
    """Add one reader, or change what was said of one who is here."""
    if suppression.is_suppressed(row.email):
        raise InvalidRowError(
            "This address is suppressed: only its owner can end that, on the site."
        )
    subscriber = Subscriber.objects.select_for_update().filter(email=row.email).first()
    if subscriber is None:
        add_new([row], FormKind.COMMAND, confirmed=confirmed, now=now)
        return Subscriber.objects.get(email=row.email)
    if subscriber.status == Subscriber.Status.LEFT:
        raise InvalidRowError("They have left: only they themselves can come back, on the site.")
    update_existing(subscriber, row)
    if confirmed:
        lifecycle.confirm(subscriber, now)
    subscriber.reschedule_digest(now)
    return subscriber


def update_existing(subscriber: Subscriber, row: ImportRow) -> None:
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
    choices.set_follows(subscriber, row.follows, kinds={term.kind for term in row.follows})


def add_new(rows: Sequence[ImportRow], form: FormKind, *, confirmed: bool, now: datetime) -> None:
    """Insert new subscribers. Unless they are confirmed, each is asked with one email."""
    subscribers = [Subscriber(email=row.email) for row in rows]
    wanted = [build_preferences(*pair) for pair in zip(subscribers, rows, strict=True)]
    for subscriber, preferences, row in zip(subscribers, wanted, rows, strict=True):
        if confirmed:
            subscriber.status = Subscriber.Status.ACTIVE
            subscriber.confirmed_at = not_in_future(row.confirmed_at, now) or now
            subscriber.next_digest_at = preferences.next_digest_at(after=now)
        else:
            subscriber.confirmation_requested_at, subscriber.confirmation_count = now, 1
    Subscriber.objects.bulk_create(subscribers)
    Preferences.objects.bulk_create(wanted)
    asked = [
        not_in_future(row.asked_at, now) or not_in_future(row.confirmed_at, now) or now
        for row in rows
    ]
    consent.record_import(subscribers, form, request_times=asked)
    insert_choices(rows, wanted)


def not_in_future(moment: datetime | None, now: datetime) -> datetime | None:
    """Nobody has said yes in the future."""
    return moment if moment is not None and moment <= now else None


def build_preferences(subscriber: Subscriber, row: ImportRow) -> Preferences:
    return Preferences(
        subscriber=subscriber,
        timezone=row.timezone or "UTC",
        hour=DEFAULT_DIGEST_HOUR if row.hour is None else row.hour,
        **row.preference_values,
    )


def insert_choices(rows: Sequence[ImportRow], preferences_list: Sequence[Preferences]) -> None:
    ids = dict(Topic.objects.values_list("slug", "pk"))
    pairs = list(zip(preferences_list, rows, strict=True))
    TopicChoice.objects.bulk_create(
        TopicChoice(preferences=preferences, topic_id=ids[slug], attitude=attitude)
        for preferences, row in pairs
        for slug, attitude in {
            **dict.fromkeys(row.topics or (), Attitude.FOLLOW),
            **row.topic_preferences,
        }.items()
    )
    Follow.objects.bulk_create(
        Follow(subscriber=preferences.subscriber, kind=term.kind, key=term.key, label=label)
        for preferences, row in pairs
        for term, label in row.follows.items()
    )
