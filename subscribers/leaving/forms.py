"""The form on which a reader who left may say why."""

from __future__ import annotations

from django import forms

from subscribers.models.records import UnsubscribeFeedback


class UnsubscribeFeedbackForm(forms.Form):
    """Why somebody left; they need not say."""

    reason = forms.ChoiceField(
        choices=UnsubscribeFeedback.SurveyReason.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Please choose the nearest one, or close this page.",
            "invalid_choice": "Please choose one of these.",
        },
    )
    words = forms.CharField(
        label="Anything else?",
        help_text="Please do not write who you are: we keep this without a name.",
        max_length=UnsubscribeFeedback.MAX_COMMENT_CHARS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "max_length": f"{UnsubscribeFeedback.MAX_COMMENT_CHARS} characters at most, please."
        },
    )
