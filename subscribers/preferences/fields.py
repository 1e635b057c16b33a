"""The form fields of what readers follow: read as people write them, shown back as they wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from papers.models import Topic
from papers.text.authors import full_author_key
from papers.topics import categories
from papers.topics.follows import FollowTarget, normalise_keyword
from subscribers import send_time
from subscribers.models import Follow, TopicChoice
from subscribers.preferences.choices import MAX_FOLLOWS_PER_KIND

UNKNOWN_TOPIC_MESSAGE = "One of these topics does not exist, or not any more. Please choose again."
MAX_FOLLOW_CHARS = Follow._meta.get_field("key").max_length or 0


class TopicPreferencesWidget(forms.Widget):
    """One row of radio buttons for each topic, those first that something was said of."""

    topics: Collection[Topic] = ()

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> dict[str, str]:
        prefix = f"{name}-"
        return {key.removeprefix(prefix): data[key] for key in data if key.startswith(prefix)}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # nothing said of any topic is an answer too

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        said = value or {}
        rows = [{"topic": topic, "attitude": said.get(topic.slug, "")} for topic in self.topics]
        context = {
            "name": name,
            "chosen": [row for row in rows if row["attitude"]],
            "others": [row for row in rows if not row["attitude"]],
            "attitudes": [("", "Off"), *TopicChoice.Attitude.choices],
        }
        return render_to_string("subscribers/_attitudes.html", context)


class TopicPreferencesField(forms.Field):
    """From topics to what somebody thinks of them."""

    widget: Any = TopicPreferencesWidget

    def __init__(self) -> None:
        super().__init__(required=False)

    def set_topics(self, topics: Collection[Topic]) -> None:
        self.topics = {topic.slug: topic for topic in topics}
        self.widget.topics = topics

    def clean(self, value: dict[str, str]) -> dict[Topic, str]:
        said = {slug: word for slug, word in value.items() if word}
        if not said.keys() <= self.topics.keys() or not set(said.values()) <= set(
            TopicChoice.Attitude.values
        ):
            raise forms.ValidationError(UNKNOWN_TOPIC_MESSAGE)
        return {self.topics[slug]: word for slug, word in said.items()}

    def has_changed(self, initial: Any, data: Any) -> bool:
        return {slug: word for slug, word in data.items() if word} != (initial or {})


class FollowsField(forms.CharField):
    """Names or phrases, one a line: from terms to how each was written."""

    def __init__(
        self,
        kind: Any,
        *,
        split: Callable[[str], list[str]],
        key: Callable[[str], str],
        empty_message: str,
        **options: Any,
    ) -> None:
        super().__init__(required=False, **options)
        self.kind, self.split, self.key, self.empty_message = kind, split, key, empty_message

    def clean(self, value: Any) -> dict[FollowTarget, str]:
        found: dict[FollowTarget, str] = {}
        for line in self.iter_entries(super().clean(value)):
            key = self.key(line)
            if not key:
                raise forms.ValidationError(self.empty_message.format(line[:60]))
            if len(key) > MAX_FOLLOW_CHARS or len(line) > MAX_FOLLOW_CHARS:
                raise forms.ValidationError(f"“{line[:60]}…” is too long. Please shorten it.")
            found.setdefault(FollowTarget(self.kind, key), line)
        return enforce_max_follows(found, "lines")

    def iter_entries(self, text: str) -> Iterator[str]:
        for line in text.splitlines():
            for part in self.split(line):
                if tidy := " ".join(part.split()):
                    yield tidy


def split_phrases(line: str) -> list[str]:
    return re.split(r"[,;]", line)


def split_names(line: str) -> list[str]:
    """One name, or several between commas; "Noether, Emmy" is one."""
    if ";" in line:
        return line.split(";")
    parts = line.split(",")
    return parts if all(len(part.split()) > 1 for part in parts) else [line]


def authors_field(**options: Any) -> FollowsField:
    nothing = "“{}” is not a name that could be found. Please write it as on a paper."
    return FollowsField(
        Follow.FollowKind.AUTHOR,
        split=split_names,
        key=full_author_key,
        empty_message=nothing,
        **options,
    )


def keywords_field(**options: Any) -> FollowsField:
    nothing = "“{}” has no word that could be found. Please write a longer phrase."
    return FollowsField(
        Follow.FollowKind.KEYWORD,
        split=split_phrases,
        key=normalise_keyword,
        empty_message=nothing,
        **options,
    )


class CategoriesWidget(forms.Widget):
    """A checkbox for each category that is followed, and a line to add others."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        texts = data.getlist(name) if hasattr(data, "getlist") else [data.get(name, "")]
        return [
            part.strip() for text in texts for part in re.split(r"[,;\n]", text) if part.strip()
        ]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        written = value or []
        context = {
            "name": name,
            "attrs": attrs or {},
            "chosen": [
                (id, categories.category_name(id))
                for id in dict.fromkeys(map(resolve_category, written))
                if id
            ],
            "unknown": ", ".join(text for text in written if not resolve_category(text)),
            "groups": categories.active_by_group(),
        }
        return render_to_string("subscribers/_categories.html", context)


class CategoriesField(forms.Field):
    """arXiv categories by any of their names: from terms to their ids."""

    widget = CategoriesWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def clean(self, value: list[str]) -> dict[FollowTarget, str]:
        found = {}
        for text in value:
            id = resolve_category(text)
            if not id:
                raise forms.ValidationError(unknown_category_message(text))
            found[FollowTarget("category", id)] = id
        return enforce_max_follows(found, "categories")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != list(data or [])


def resolve_category(text: str) -> str:
    """By id or, where only one is called so, by name."""
    if id := categories.canonical_id(text):
        return id
    called_so = [
        each.id for each in categories.all_categories() if each.name.lower() == text.lower()
    ]
    return called_so[0] if len(called_so) == 1 else ""


def unknown_category_message(text: str) -> str:
    word = text.lower()
    known = [each for each in categories.all_categories() if each.active]
    alike = [each for each in known if len(word) > 2 and word in each.name.lower()]
    ids = {each.id.lower(): each for each in known}
    near = alike or [ids[id] for id in get_close_matches(word, ids, n=3, cutoff=0.5)]
    sentence = f"arXiv has no category “{text[:40]}”."
    if not near:
        return f"{sentence} They look like cs.RO or math.AG."
    return f"{sentence} Did you mean {' or '.join(map(str, near[:3]))}?"


def enforce_max_follows(follows: dict[FollowTarget, str], noun: str) -> dict[FollowTarget, str]:
    if len(follows) > MAX_FOLLOWS_PER_KIND:
        raise forms.ValidationError(
            f"These are {len(follows)} {noun}, and there is room for {MAX_FOLLOWS_PER_KIND}. "
            "Please take some out."
        )
    return follows


UNKNOWN_TIMEZONE_MESSAGE = "This time zone is not known. Please choose one from the list."


SELECTED_ATTRIBUTE = SafeString(" selected")


# Names that mean a place; the others in the database are old spellings, kept for who has them.
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


def timezone_choices(current: str = "UTC") -> list[tuple[str, str]]:
    """UTC, then the places by name; and the one that is chosen, whatever it is called."""
    places = {
        name for name in send_time.timezone_names() if name.partition("/")[0] in TIMEZONE_AREAS
    }
    if current in send_time.timezone_names():
        places.add(current)
    names = ["UTC", *sorted(places - {"UTC"})]
    return [(name, name.replace("_", " ")) for name in names]


class LongSelect(forms.Select):
    """A list of hundreds: rendered at once, for Django's template takes 80 ms for all its lines."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            (
                (key, SELECTED_ATTRIBUTE if key == value else "", label)
                for key, label in self.choices
            ),
        )
        attributes = self.build_attrs({**self.attrs, "name": name}, attrs)
        return format_html("<select{}>\n{}\n</select>", flatatt(attributes), options)


class TopicsField(forms.ModelMultipleChoiceField):
    """Topics by their slugs; none chosen means all of them."""

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
