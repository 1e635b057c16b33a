"""Validation of sign-up requests from the page, the embedded form and the API."""

from __future__ import annotations

from django import forms

from subscribers import send_time
from subscribers.addresses import InvalidAddressError, normalise_address, reject_role_account
from subscribers.preferences.fields import TopicsField
from subscribers.signup import disposable


class SignupForm(forms.Form):
    email = forms.CharField(error_messages={"required": "Please enter your email address."})
    topics = TopicsField()
    # The browser's guess. An unknown zone becomes empty; it must not fail the sign-up.
    timezone = forms.Field(required=False)

    def clean_email(self) -> str:
        try:
            email = normalise_address(self.cleaned_data["email"])
            reject_role_account(email)
            disposable.reject_disposable(email)
        except InvalidAddressError as error:
            raise forms.ValidationError(str(error)) from None
        return email

    def clean_topics(self) -> list[str]:
        return [topic.slug for topic in self.cleaned_data["topics"]]

    def clean_timezone(self) -> str:
        name = self.cleaned_data["timezone"]
        return name if name in send_time.timezone_names() else ""
