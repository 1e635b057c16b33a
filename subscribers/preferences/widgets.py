"""Widgets of the preferences form."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from papers.models import Topic
from papers.topics import categories
from subscribers.models import TopicChoice
from subscribers.preferences.category_lookup import resolve_category

SELECTED_ATTRIBUTE = SafeString(" selected")


class TopicPreferencesWidget(forms.Widget):
    """A row of radio buttons per topic; topics with an attitude come first."""

    topics: Collection[Topic] = ()

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> dict[str, str]:
        """Return attitudes by slug, from one form field per topic: `<name>-<slug>`."""
        prefix = f"{name}-"
        return {key.removeprefix(prefix): data[key] for key in data if key.startswith(prefix)}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # without any attitude the data has no field of this name, but is complete

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        attitudes = value or {}
        rows = [
            {"topic": topic, "attitude": attitudes.get(topic.slug, "")} for topic in self.topics
        ]
        context = {
            "name": name,
            "chosen": [row for row in rows if row["attitude"]],
            "others": [row for row in rows if not row["attitude"]],
            "attitudes": [("", "Off"), *TopicChoice.Attitude.choices],
        }
        return render_to_string("subscribers/_attitudes.html", context)


class CategoriesWidget(forms.Widget):
    """A checkbox per followed category, and a text input to add others."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        """Return the checked ids and the entries of the text input, in the order of the data."""
        texts = data.getlist(name) if hasattr(data, "getlist") else [data.get(name, "")]
        return [
            part.strip() for text in texts for part in re.split(r"[,;\n]", text) if part.strip()
        ]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # unchecked checkboxes are not in the data

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Render known categories as checkboxes; leave unknown ones in the input, to correct."""
        entries = value or []
        context = {
            "name": name,
            "attrs": attrs or {},
            "chosen": [
                (category_id, categories.category_name(category_id))
                for category_id in dict.fromkeys(map(resolve_category, entries))
                if category_id
            ],
            "unknown": ", ".join(text for text in entries if not resolve_category(text)),
            "groups": categories.active_by_group(),
        }
        return render_to_string("subscribers/_categories.html", context)


class LongSelect(forms.Select):
    """A select with hundreds of options, rendered without templates.

    Django renders each option with a template of its own: 80 ms for the list of time zones.
    """

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
