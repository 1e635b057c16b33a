"""The exit survey's form."""

from __future__ import annotations

from django import forms

from subscribers.models.records import UnsubscribeFeedback


class UnsubscribeFeedbackForm(forms.Form):
    reason = forms.ChoiceField(
        choices=UnsubscribeFeedback.SurveyReason.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Please choose a reason, or close this page.",
            "invalid_choice": "Please choose one of these reasons.",
        },
    )
    words = forms.CharField(
        label="Anything else?",
        help_text="Please do not include your name or address: we store your answer anonymously.",
        max_length=UnsubscribeFeedback.MAX_COMMENT_CHARS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "max_length": f"Please use at most {UnsubscribeFeedback.MAX_COMMENT_CHARS} characters."
        },
    )
