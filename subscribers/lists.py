"""Readers whom an operator brings in: one at the shell, or many in a CSV file."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TextIO

from django.core.exceptions import ValidationError
from django.db import transaction

from papers.matching import Term
from papers.models import Topic
from subscribers import choices, consent, fields, signup, suppression, timetable
from subscribers.addresses import BadAddress, normalise
from subscribers.consent import Form
from subscribers.models import DEFAULT_HOUR, Follow, Preferences, Subscriber

COLUMNS = ("email", "topics", "timezone", "hour", "categories", "authors", "keywords")
# What may be followed besides topics, and how it is read; more than one with a ; between.
FOLLOWS = {
    "categories": fields.CategoriesField(),
    "authors": fields.authors(),
    "keywords": fields.keywords(),
}
# Readers added in one transaction.
PAGE = 500


class BadRow(ValueError):
    """Why a reader cannot be added as asked, in a sentence without the address."""


class BadFile(ValueError):
    """Why a file is not a list of readers, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One reader to add; none means: not said."""

    email: str
    topics: tuple[str, ...] | None = None
    timezone: str | None = None
    hour: int | None = None
    follows: Mapping[Term, str] = field(default_factory=dict)


def row(written: Mapping[str, Any], *, known_topics: AbstractSet[str]) -> Row:
    """What was written about one reader, checked; empty fields count as not said."""
    given = {name: written.get(name) for name in COLUMNS}
    said = {name: "" if value is None else str(value).strip() for name, value in given.items()}
    topics = tuple(re.split(r"[,;\s]+", said["topics"])) if said["topics"] else None
    for slug in topics or ():
        if slug not in known_topics:
            raise BadRow(f"There is no topic {slug[:64]!r}.")
    zone = said["timezone"] or None
    if zone and zone not in timetable.zones():
        raise BadRow(f"There is no time zone {zone[:64]!r}: they look like Europe/Berlin.")
    if said["hour"] and not re.fullmatch(r"0?[0-9]|1[0-9]|2[0-3]", said["hour"]):
        raise BadRow(f"The hour must be a number from 0 to 23, not {said['hour'][:64]!r}.")
    hour = int(said["hour"]) if said["hour"] else None
    try:
        email = normalise(said["email"])
    except BadAddress as error:
        raise BadRow(str(error)) from None
    return Row(email=email, topics=topics, timezone=zone, hour=hour, follows=follows(said))


def follows(said: Mapping[str, str]) -> dict[Term, str]:
    found: dict[Term, str] = {}
    for name, reader in FOLLOWS.items():
        try:
            found |= reader.clean(reader.widget.value_from_datadict({name: said[name]}, {}, name))
        except ValidationError as error:
            raise BadRow(" ".join(error.messages)) from None
    return found


def known_topics() -> frozenset[str]:
    return frozenset(Topic.objects.values_list("slug", flat=True))


def read(file: TextIO) -> Iterator[tuple[int, Row | BadRow]]:
    """The rows of a CSV file, or what is wrong with each, by line number."""
    lines = csv.DictReader(file)
    known = known_topics()
    try:
        lines.fieldnames = [name.strip().lower() for name in lines.fieldnames or ()]
        check_header(lines.fieldnames)
        for written in lines:
            if None in written:
                yield lines.line_num, BadRow("There are more fields than the header names.")
                continue
            try:
                yield lines.line_num, row(written, known_topics=known)
            except BadRow as error:
                yield lines.line_num, error
    except UnicodeDecodeError:
        raise BadFile("The file is not text in UTF-8.") from None
    except csv.Error as error:
        raise BadFile(f"The file is not CSV, by line {lines.line_num}: {error}.") from None


def check_header(names: Sequence[str]) -> None:
    if "email" not in names:
        raise BadFile(f"The first line must name the columns: email, or {','.join(COLUMNS)}.")
    if unknown := set(names) - set(COLUMNS):
        raise BadFile(
            f"There is no column {min(unknown)[:64]!r}: the columns are {', '.join(COLUMNS)}."
        )


def add_all(rows: Iterable[Row], *, confirmed: bool, now: datetime) -> Counter[str]:
    """Add the new ones, page by page, and count what became of each row.

    Who is known already, even as having left, is not touched: their own choice is newer.
    """
    counts: Counter[str] = Counter()
    remaining = iter(rows)
    while page := list(islice(remaining, PAGE)):
        by_email = {row.email: row for row in page}
        with transaction.atomic():
            suppressed = suppression.suppressed(by_email)
            mine = Subscriber.objects.filter(email__in=by_email)
            passed_over = suppressed | set(mine.values_list("email", flat=True))
            new = [row for email, row in by_email.items() if email not in passed_over]
            add_new(new, Form.IMPORT, confirmed=confirmed, now=now)
        known = len(page) - len(new) - len(suppressed)
        counts += Counter(added=len(new), known=known, suppressed=len(suppressed))
    return counts


@transaction.atomic
def add(row: Row, *, confirmed: bool, now: datetime) -> Subscriber:
    """Add one reader, or change what was said of one who is here."""
    if suppression.is_suppressed(row.email):
        raise BadRow("This address is suppressed: only its owner can end that, on the site.")
    subscriber = Subscriber.objects.select_for_update().filter(email=row.email).first()
    if subscriber is None:
        add_new([row], Form.COMMAND, confirmed=confirmed, now=now)
        return Subscriber.objects.get(email=row.email)
    if subscriber.status == Subscriber.Status.LEFT:
        raise BadRow("They have left: only they themselves can come back, on the site.")
    change(subscriber, row)
    if confirmed:
        signup.confirm(subscriber, now)
    subscriber.schedule(now)
    return subscriber


def change(subscriber: Subscriber, row: Row) -> None:
    preferences = subscriber.preferences
    if row.timezone is not None:
        preferences.timezone = row.timezone
    if row.hour is not None:
        preferences.hour = row.hour
    preferences.save(update_fields=["timezone", "hour"])
    if row.topics is not None:
        choices.follow_topics(preferences, Topic.objects.filter(slug__in=row.topics))
    choices.set_follows(subscriber, row.follows, kinds={term.kind for term in row.follows})


def add_new(rows: Sequence[Row], form: Form, *, confirmed: bool, now: datetime) -> None:
    """Insert new subscribers. Unless they are confirmed, each is asked with one email."""
    subscribers = [Subscriber(email=row.email) for row in rows]
    wanted = [
        Preferences(
            subscriber=subscriber,
            timezone=row.timezone or "UTC",
            hour=DEFAULT_HOUR if row.hour is None else row.hour,
        )
        for subscriber, row in zip(subscribers, rows, strict=True)
    ]
    for subscriber, preferences in zip(subscribers, wanted, strict=True):
        if confirmed:
            subscriber.status, subscriber.confirmed_at = Subscriber.Status.ACTIVE, now
            subscriber.next_digest_at = preferences.next_digest_at(after=now)
        else:
            subscriber.confirmation_requested_at, subscriber.confirmation_count = now, 1
    Subscriber.objects.bulk_create(subscribers)
    Preferences.objects.bulk_create(wanted)
    consent.bring(subscribers, form, confirmed=confirmed, now=now)
    ids = dict(Topic.objects.values_list("slug", "pk"))
    through = Preferences.topics.through
    through.objects.bulk_create(
        through(preferences_id=preferences.pk, topic_id=ids[slug])
        for preferences, row in zip(wanted, rows, strict=True)
        for slug in set(row.topics or ())
    )
    Follow.objects.bulk_create(
        Follow(subscriber=subscriber, kind=term.kind, key=term.key, label=label)
        for subscriber, row in zip(subscribers, rows, strict=True)
        for term, label in row.follows.items()
    )
