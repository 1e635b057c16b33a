"""The form where a reader sets up their digest, and what becomes of it."""

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
from subscribers.preferences.fields import UNKNOWN_TIMEZONE_MESSAGE, LongSelect, timezone_choices

MAX_PAUSE_DURATION = timedelta(days=366)
TEXTAREA_ATTRS = {"rows": 4, "spellcheck": "false", "autocapitalize": "off"}


class PreferencesForm(forms.ModelForm):
    attitudes = fields.TopicPreferencesField()
    authors = fields.authors_field(
        label="Authors",
        help_text="One name a line. Initials are enough for given names.",
        widget=forms.Textarea(TEXTAREA_ATTRS),
    )
    keywords = fields.keywords_field(
        label="Keywords and phrases",
        help_text="One a line, up to four words each.",
        widget=forms.Textarea(TEXTAREA_ATTRS),
    )
    categories = fields.CategoriesField(label="arXiv categories", help_text="Such as cs.RO.")
    length = forms.IntegerField(
        label="Papers in a digest",
        min_value=MIN_DIGEST_PAPERS,
        max_value=MAX_DIGEST_PAPERS,
        help_text=f"{MIN_DIGEST_PAPERS} to {MAX_DIGEST_PAPERS}.",
    )
    minimum = forms.IntegerField(
        label="Only when at least so many match",
        min_value=1,
        max_value=MAX_DIGEST_PAPERS,
        help_text="With fewer, they wait for the next digest, a week at most.",
    )
    detail = forms.ChoiceField(label="Of each paper", choices=Preferences.Detail.choices)
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
        help_text="Your holiday: the first digest comes on that day. Empty for no pause.",
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Please write the date as YYYY-MM-DD, such as 2027-01-31."},
    )
    learning = forms.BooleanField(label="Let my votes tune the order of my papers", required=False)

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
        instance = kwargs.get("instance")
        if instance and instance.pk:
            kwargs["initial"] = {**load_initial_choices(instance), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        self.now = now
        zones = cast(forms.ChoiceField, self.fields["timezone"])
        zones.choices = timezone_choices(self.instance.timezone)
        self.topics = list(Topic.objects.order_by("name"))
        cast(fields.TopicPreferencesField, self.fields["attitudes"]).set_topics(self.topics)

    @property
    def zone(self) -> ZoneInfo:
        """The zone as chosen, if that was one; else the one there was."""
        if name := self.cleaned_data.get("timezone"):
            return ZoneInfo(name)
        return self.instance.zone

    @property
    def follows(self) -> dict[FollowTarget, str]:
        """What was chosen besides topics: from terms to how each was written."""
        return {
            **self.cleaned_data["authors"],
            **self.cleaned_data["keywords"],
            **self.cleaned_data["categories"],
        }

    @property
    def topic_preferences_by_slug(self) -> dict[str, str]:
        return {topic.slug: word for topic, word in self.cleaned_data["attitudes"].items()}

    def clean_weekday(self) -> int:
        """Only a weekly digest asks for it."""
        chosen = self.cleaned_data["weekday"]
        return self.instance.weekday if chosen == "" else chosen

    def clean(self) -> dict[str, Any]:
        """A pause that is over is none; one without an end is rather leaving."""
        cleaned = self.cleaned_data
        if (until := cleaned.get("paused_until")) is not None:
            today = self.now.astimezone(self.zone).date()
            if until <= today:
                cleaned["paused_until"] = None
            elif until > today + MAX_PAUSE_DURATION:
                self.add_error(
                    "paused_until", "That is more than a year away. Please choose an earlier day."
                )
        return cleaned

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        choices.set_topic_preferences(self.instance, self.cleaned_data["attitudes"])
        choices.set_follows(self.instance.subscriber, self.follows)

    @transaction.atomic
    def save_and_reschedule(self, now: datetime) -> None:
        """Keep what was chosen, and set the next digest by it."""
        # The reader's row is locked before their preferences, as everywhere: no deadlock.
        Subscriber.objects.select_for_update().get(pk=self.instance.subscriber_id)
        self.save().subscriber.reschedule_digest(now)


def load_initial_choices(preferences: Preferences) -> dict[str, Any]:
    """What is followed now, as the form's fields show it; in two queries."""
    said = TopicChoice.objects.filter(preferences=preferences)
    labels: dict[str, list[str]] = {kind: [] for kind in Follow.FollowKind.values}
    rows = Follow.objects.filter(subscriber=preferences.subscriber_id).order_by("pk")
    for kind, label in rows.values_list("kind", "label"):
        labels[kind].append(label)
    return {
        "attitudes": dict(said.values_list("topic__slug", "attitude")),
        "authors": "\n".join(labels[Follow.FollowKind.AUTHOR]),
        "keywords": "\n".join(labels[Follow.FollowKind.KEYWORD]),
        "categories": labels[Follow.FollowKind.CATEGORY],
    }
