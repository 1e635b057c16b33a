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
from papers.topics.follows import Term, normal_keyword
from subscribers import send_time
from subscribers.models import Follow, TopicChoice
from subscribers.preferences.choices import MOST_FOLLOWS

UNKNOWN_TOPIC = "One of these topics does not exist, or not any more. Please choose again."
LONGEST = Follow._meta.get_field("key").max_length or 0


class AttitudesWidget(forms.Widget):
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


class AttitudesField(forms.Field):
    """From topics to what somebody thinks of them."""

    widget: Any = AttitudesWidget

    def __init__(self) -> None:
        super().__init__(required=False)

    def offer(self, topics: Collection[Topic]) -> None:
        self.topics = {topic.slug: topic for topic in topics}
        self.widget.topics = topics

    def clean(self, value: dict[str, str]) -> dict[Topic, str]:
        said = {slug: word for slug, word in value.items() if word}
        if not said.keys() <= self.topics.keys() or not set(said.values()) <= set(
            TopicChoice.Attitude.values
        ):
            raise forms.ValidationError(UNKNOWN_TOPIC)
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
        nothing: str,
        **options: Any,
    ) -> None:
        super().__init__(required=False, **options)
        self.kind, self.split, self.key, self.nothing = kind, split, key, nothing

    def clean(self, value: Any) -> dict[Term, str]:
        found: dict[Term, str] = {}
        for line in self.lines(super().clean(value)):
            key = self.key(line)
            if not key:
                raise forms.ValidationError(self.nothing.format(line[:60]))
            if len(key) > LONGEST or len(line) > LONGEST:
                raise forms.ValidationError(f"“{line[:60]}…” is too long. Please shorten it.")
            found.setdefault(Term(self.kind, key), line)
        return at_most(found, "lines")

    def lines(self, text: str) -> Iterator[str]:
        for line in text.splitlines():
            for part in self.split(line):
                if tidy := " ".join(part.split()):
                    yield tidy


def phrases(line: str) -> list[str]:
    return re.split(r"[,;]", line)


def names(line: str) -> list[str]:
    """One name, or several between commas; "Noether, Emmy" is one."""
    if ";" in line:
        return line.split(";")
    parts = line.split(",")
    return parts if all(len(part.split()) > 1 for part in parts) else [line]


def authors(**options: Any) -> FollowsField:
    nothing = "“{}” is not a name that could be found. Please write it as on a paper."
    return FollowsField(
        Follow.Kind.AUTHOR, split=names, key=full_author_key, nothing=nothing, **options
    )


def keywords(**options: Any) -> FollowsField:
    nothing = "“{}” has no word that could be found. Please write a longer phrase."
    return FollowsField(
        Follow.Kind.KEYWORD, split=phrases, key=normal_keyword, nothing=nothing, **options
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
                (id, categories.name(id)) for id in dict.fromkeys(map(category_of, written)) if id
            ],
            "unknown": ", ".join(text for text in written if not category_of(text)),
            "groups": categories.groups(),
        }
        return render_to_string("subscribers/_categories.html", context)


class CategoriesField(forms.Field):
    """arXiv categories by any of their names: from terms to their ids."""

    widget = CategoriesWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def clean(self, value: list[str]) -> dict[Term, str]:
        found = {}
        for text in value:
            id = category_of(text)
            if not id:
                raise forms.ValidationError(unknown_category(text))
            found[Term("category", id)] = id
        return at_most(found, "categories")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != list(data or [])


def category_of(text: str) -> str:
    """By id or, where only one is called so, by name."""
    if id := categories.canonical(text):
        return id
    called_so = [each.id for each in categories.known() if each.name.lower() == text.lower()]
    return called_so[0] if len(called_so) == 1 else ""


def unknown_category(text: str) -> str:
    word = text.lower()
    known = [each for each in categories.known() if each.active]
    alike = [each for each in known if len(word) > 2 and word in each.name.lower()]
    ids = {each.id.lower(): each for each in known}
    near = alike or [ids[id] for id in get_close_matches(word, ids, n=3, cutoff=0.5)]
    sentence = f"arXiv has no category “{text[:40]}”."
    if not near:
        return f"{sentence} They look like cs.RO or math.AG."
    return f"{sentence} Did you mean {' or '.join(map(str, near[:3]))}?"


def at_most(found: dict[Term, str], things: str) -> dict[Term, str]:
    if len(found) > MOST_FOLLOWS:
        raise forms.ValidationError(
            f"These are {len(found)} {things}, and there is room for {MOST_FOLLOWS}. "
            "Please take some out."
        )
    return found


UNKNOWN_ZONE = "This time zone is not known. Please choose one from the list."


SELECTED = SafeString(" selected")


# Names that mean a place; the others in the database are old spellings, kept for who has them.
AREAS = {
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
    places = {name for name in send_time.zones() if name.partition("/")[0] in AREAS}
    if current in send_time.zones():
        places.add(current)
    names = ["UTC", *sorted(places - {"UTC"})]
    return [(name, name.replace("_", " ")) for name in names]


class LongSelect(forms.Select):
    """A list of hundreds: rendered at once, for Django's template takes 80 ms for all its lines."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            ((key, SELECTED if key == value else "", label) for key, label in self.choices),
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
            error_messages={"invalid_choice": UNKNOWN_TOPIC, "invalid_list": UNKNOWN_TOPIC},
        )
