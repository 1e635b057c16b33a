"""What strangers may send us."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from papers.models import Topic
from subscribers import disposable, timetable
from subscribers.addresses import BadAddress, normalise, refuse_desks
from subscribers.fields import UNKNOWN_TOPIC
from subscribers.models import Farewell

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
    places = {name for name in timetable.zones() if name.partition("/")[0] in AREAS}
    if current in timetable.zones():
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


class SignupForm(forms.Form):
    email = forms.CharField(error_messages={"required": "Please give your email address."})
    topics = TopicsField()
    # What the browser says: any text at all; empty when it is no zone that we know.
    timezone = forms.Field(required=False)

    def clean_email(self) -> str:
        try:
            email = normalise(self.cleaned_data["email"])
            refuse_desks(email)
            disposable.refuse(email)
        except BadAddress as error:
            raise forms.ValidationError(str(error)) from None
        return email

    def clean_topics(self) -> list[str]:
        return [topic.slug for topic in self.cleaned_data["topics"]]

    def clean_timezone(self) -> str:
        name = self.cleaned_data["timezone"]
        return name if name in timetable.zones() else ""


class FarewellForm(forms.Form):
    """Why somebody left; they need not say."""

    reason = forms.ChoiceField(
        choices=Farewell.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Please choose the nearest one, or close this page.",
            "invalid_choice": "Please choose one of these.",
        },
    )
    words = forms.CharField(
        label="Anything else?",
        help_text="Please do not write who you are: we keep this without a name.",
        max_length=Farewell.LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": f"{Farewell.LONGEST} characters at most, please."},
    )
