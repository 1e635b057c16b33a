"""Form fields for topics, follows and time zones, shared by forms and imports."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django import forms

from papers.models import Topic
from papers.text.authors import full_author_key
from papers.topics.follows import FollowTarget, normalise_keyword
from subscribers import send_time
from subscribers.models import Follow, TopicChoice
from subscribers.preferences.category_lookup import resolve_category, unknown_category_message
from subscribers.preferences.choices import MAX_FOLLOWS_PER_KIND
from subscribers.preferences.widgets import CategoriesWidget, TopicPreferencesWidget

MAX_FOLLOW_CHARS = Follow._meta.get_field("key").max_length or 0
UNKNOWN_TOPIC_MESSAGE = "One of these topics does not exist or was removed. Please choose again."
UNKNOWN_TIMEZONE_MESSAGE = "Unknown time zone. Please choose one from the list."
# The areas of canonical names. The other names in the database are outdated aliases; they are
# offered only to a reader who has one.
TIMEZONE_AREAS = {
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
}


class TopicsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not at run time
    """Topics by slug. An empty choice means all topics."""

    def __init__(self) -> None:
        super().__init__(
            Topic.objects.order_by("name"),
            to_field_name="slug",
            required=False,
            widget=forms.CheckboxSelectMultiple,
            error_messages={
                "invalid_choice": UNKNOWN_TOPIC_MESSAGE,
                "invalid_list": UNKNOWN_TOPIC_MESSAGE,
            },
        )


class TopicPreferencesField(forms.Field):
    """A mapping from topics to attitudes."""

    widget: Any = TopicPreferencesWidget

    def __init__(self) -> None:
        super().__init__(required=False)

    def set_topics(self, topics: Collection[Topic]) -> None:
        """Set the topics to choose from, here and in the widget."""
        self.topics = {topic.slug: topic for topic in topics}
        self.widget.topics = topics

    def clean(self, value: dict[str, str]) -> dict[Topic, str]:
        attitudes = {slug: attitude for slug, attitude in value.items() if attitude}
        valid_attitudes = set(TopicChoice.Attitude.values)
        if (
            not attitudes.keys() <= self.topics.keys()
            or not set(attitudes.values()) <= valid_attitudes
        ):
            raise forms.ValidationError(UNKNOWN_TOPIC_MESSAGE)
        return {self.topics[slug]: attitude for slug, attitude in attitudes.items()}

    def has_changed(self, initial: Any, data: Any) -> bool:
        return {slug: attitude for slug, attitude in data.items() if attitude} != (initial or {})


class FollowsField(forms.CharField):
    """Names or phrases, one per line: a mapping from follow targets to what was typed."""

    def __init__(
        self,
        kind: Any,
        *,
        split: Callable[[str], list[str]],
        key: Callable[[str], str],
        empty_message: str,
        **options: Any,
    ) -> None:
        """Configure how a line is split into entries and how an entry is normalised to its key.

        `empty_message` is the error for an entry with an empty key; `{}` stands for the entry.
        """
        super().__init__(required=False, **options)
        self.kind, self.split, self.key, self.empty_message = kind, split, key, empty_message

    def clean(self, value: Any) -> dict[FollowTarget, str]:
        labels: dict[FollowTarget, str] = {}
        for entry in self.iter_entries(super().clean(value)):
            key = self.key(entry)
            if not key:
                raise forms.ValidationError(self.empty_message.format(entry[:60]))
            if len(key) > MAX_FOLLOW_CHARS or len(entry) > MAX_FOLLOW_CHARS:
                raise forms.ValidationError(f"“{entry[:60]}…” is too long. Please shorten it.")
            labels.setdefault(FollowTarget(self.kind, key), entry)
        return enforce_max_follows(labels, "lines")

    def iter_entries(self, text: str) -> Iterator[str]:
        """Yield the entries that are not blank, with whitespace collapsed."""
        for line in text.splitlines():
            for part in self.split(line):
                if entry := " ".join(part.split()):
                    yield entry


def split_phrases(line: str) -> list[str]:
    return re.split(r"[,;]", line)


def split_names(line: str) -> list[str]:
    """Split at semicolons, else at commas unless that splits a name: "Noether, Emmy"."""
    if ";" in line:
        return line.split(";")
    parts = line.split(",")
    return parts if all(len(part.split()) > 1 for part in parts) else [line]


def authors_field(**options: Any) -> FollowsField:
    return FollowsField(
        Follow.FollowKind.AUTHOR,
        split=split_names,
        key=full_author_key,
        empty_message="“{}” is not a valid name. Please enter it as it appears on papers.",
        **options,
    )


def keywords_field(**options: Any) -> FollowsField:
    return FollowsField(
        Follow.FollowKind.KEYWORD,
        split=split_phrases,
        key=normalise_keyword,
        empty_message="“{}” has no word to search for. Please enter a longer phrase.",
        **options,
    )


class CategoriesField(forms.Field):
    """arXiv categories by id, alias or name: a mapping from follow targets to canonical ids."""

    widget = CategoriesWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def clean(self, value: list[str]) -> dict[FollowTarget, str]:
        labels: dict[FollowTarget, str] = {}
        for text in value:
            category_id = resolve_category(text)
            if not category_id:
                raise forms.ValidationError(unknown_category_message(text))
            labels[FollowTarget("category", category_id)] = category_id
        return enforce_max_follows(labels, "categories")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != list(data or [])


def enforce_max_follows(follows: dict[FollowTarget, str], noun: str) -> dict[FollowTarget, str]:
    """Return the follows unchanged; raise `ValidationError` if there are too many."""
    if len(follows) > MAX_FOLLOWS_PER_KIND:
        raise forms.ValidationError(
            f"You entered {len(follows)} {noun}, but the maximum is {MAX_FOLLOWS_PER_KIND}. "
            "Please remove some."
        )
    return follows


def timezone_choices(current: str = "UTC") -> list[tuple[str, str]]:
    """Return names and labels: UTC, then canonical names, and `current` even if it is an alias."""
    known = send_time.timezone_names()
    names = {name for name in known if name.partition("/")[0] in TIMEZONE_AREAS}
    if current in known:
        names.add(current)
    return [(name, name.replace("_", " ")) for name in ["UTC", *sorted(names - {"UTC"})]]
