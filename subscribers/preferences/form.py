"""The form for a reader's preferences, shared by their page, the preview and the admin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.db import transaction

from papers.models import Topic
from papers.topics.follows import FollowTarget
from subscribers.models import (
    MAX_DIGEST_PAPERS,
    MIN_DIGEST_PAPERS,
    Follow,
    Preferences,
    Subscriber,
    TopicChoice,
)
from subscribers.preferences import choices, fields
from subscribers.preferences.fields import UNKNOWN_TIMEZONE_MESSAGE, timezone_choices
from subscribers.preferences.widgets import LongSelect

MAX_PAUSE_DURATION = timedelta(days=366)
TEXTAREA_ATTRS = {"rows": 4, "spellcheck": "false", "autocapitalize": "off"}


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A reader's preferences, topic attitudes and follows."""

    instance: Preferences
    topics: list[Topic]

    attitudes = fields.TopicPreferencesField()
    authors = fields.authors_field(
        label="Authors",
        help_text="One name per line. Initials are enough for given names.",
        widget=forms.Textarea(TEXTAREA_ATTRS),
    )
    keywords = fields.keywords_field(
        label="Keywords and phrases",
        help_text="One per line, up to four words each.",
        widget=forms.Textarea(TEXTAREA_ATTRS),
    )
    categories = fields.CategoriesField(label="arXiv categories", help_text="For example cs.RO.")
    length = forms.IntegerField(
        label="Papers in a digest",
        min_value=MIN_DIGEST_PAPERS,
        max_value=MAX_DIGEST_PAPERS,
        help_text=f"{MIN_DIGEST_PAPERS} to {MAX_DIGEST_PAPERS}.",
    )
    minimum = forms.IntegerField(
        label="Minimum number of papers",
        min_value=1,
        max_value=MAX_DIGEST_PAPERS,
        help_text="If fewer match, they wait for the next digest, for up to a week.",
    )
    detail = forms.ChoiceField(label="Detail of each paper", choices=Preferences.Detail.choices)
    frequency = forms.ChoiceField(label="How often", choices=Preferences.Frequency.choices)
    weekday = forms.TypedChoiceField(
        label="Day of the week",
        choices=Preferences.Weekday.choices,
        coerce=int,
        required=False,
    )
    hour = forms.TypedChoiceField(
        label="Hour", choices=[(hour, f"{hour:02}:00") for hour in range(24)], coerce=int
    )
    timezone = forms.ChoiceField(
        label="Time zone",
        widget=LongSelect,
        error_messages={"invalid_choice": UNKNOWN_TIMEZONE_MESSAGE},
    )
    paused_until = forms.DateField(
        label="Pause until",
        required=False,
        help_text="For holidays: digests start again on this day. Leave empty for no pause.",
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Please enter the date as YYYY-MM-DD, for example 2027-01-31."},
    )
    learning = forms.BooleanField(label="Use my votes to rank my papers", required=False)

    class Meta:
        model = Preferences
        fields = (
            "length",
            "minimum",
            "detail",
            "frequency",
            "weekday",
            "hour",
            "timezone",
            "paused_until",
            "learning",
        )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        """Load the stored choices as initial values; `now` decides whether a pause is over."""
        instance = kwargs.get("instance")
        if instance and instance.pk:
            kwargs["initial"] = {**load_initial_choices(instance), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        self.now = now
        timezone_field = cast(forms.ChoiceField, self.fields["timezone"])
        timezone_field.choices = timezone_choices(self.instance.timezone)
        self.topics = list(Topic.objects.order_by("name"))
        cast(fields.TopicPreferencesField, self.fields["attitudes"]).set_topics(self.topics)

    @property
    def zone(self) -> ZoneInfo:
        """The chosen time zone if it is valid, else the stored one."""
        if name := self.cleaned_data.get("timezone"):
            return ZoneInfo(name)
        return self.instance.zone

    @property
    def follows(self) -> dict[FollowTarget, str]:
        """The chosen authors, keywords and categories: what was typed, by follow target."""
        return {
            **self.cleaned_data["authors"],
            **self.cleaned_data["keywords"],
            **self.cleaned_data["categories"],
        }

    @property
    def topic_preferences_by_slug(self) -> dict[str, str]:
        attitudes: dict[Topic, str] = self.cleaned_data["attitudes"]
        return {topic.slug: attitude for topic, attitude in attitudes.items()}

    def clean_weekday(self) -> int:
        """Return the stored weekday if the form has none: only weekly digests need one."""
        weekday: int | str = self.cleaned_data["weekday"]
        return self.instance.weekday if isinstance(weekday, str) else weekday

    def clean(self) -> dict[str, Any]:
        """Drop a pause that is over, and reject one that is too long."""
        cleaned = self.cleaned_data
        if (paused_until := cleaned.get("paused_until")) is not None:
            today = self.now.astimezone(self.zone).date()
            if paused_until <= today:
                cleaned["paused_until"] = None
            elif paused_until > today + MAX_PAUSE_DURATION:
                self.add_error(
                    "paused_until",
                    "This date is more than a year away. Please choose an earlier one.",
                )
        return cleaned

    def _save_m2m(self) -> None:
        """Save topic attitudes and follows too, after the instance."""
        super()._save_m2m()  # type: ignore[misc]  # not in django-stubs
        choices.set_topic_preferences(self.instance, self.cleaned_data["attitudes"])
        choices.set_follows(self.instance.subscriber, self.follows)

    @transaction.atomic
    def save_and_reschedule(self, now: datetime) -> None:
        """Save the preferences and reschedule the next digest, in one transaction."""
        # Lock the subscriber before their preferences, as all code does, to avoid deadlocks.
        Subscriber.objects.select_for_update().get(pk=self.instance.subscriber_id)
        self.save().subscriber.reschedule_digest(now)


def load_initial_choices(preferences: Preferences) -> dict[str, Any]:
    """Return the stored topic attitudes and follows as initial values, in two queries."""
    topic_choices = TopicChoice.objects.filter(preferences=preferences)
    labels: dict[str, list[str]] = {kind: [] for kind in Follow.FollowKind.values}
    rows = Follow.objects.filter(subscriber=preferences.subscriber_id).order_by("pk")
    for kind, label in rows.values_list("kind", "label"):
        labels[kind].append(label)
    return {
        "attitudes": dict(topic_choices.values_list("topic__slug", "attitude")),
        "authors": "\n".join(labels[Follow.FollowKind.AUTHOR]),
        "keywords": "\n".join(labels[Follow.FollowKind.KEYWORD]),
        "categories": labels[Follow.FollowKind.CATEGORY],
    }
