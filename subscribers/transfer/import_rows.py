"""The rows of subscriber lists: their columns, and how their values are validated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from papers.models import Topic
from papers.topics.follows import FollowTarget
from subscribers import send_time
from subscribers.addresses import InvalidAddressError, normalise_address
from subscribers.models import MAX_DIGEST_PAPERS, MIN_DIGEST_PAPERS, Attitude, Preferences
from subscribers.preferences import fields
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
