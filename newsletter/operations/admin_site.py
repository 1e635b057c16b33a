"""The admin site, with user name, password and one-time code on one page."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django_otp.admin import OTPAdminAuthenticationForm, OTPAdminSite
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice


class LoginForm(OTPAdminAuthenticationForm):  # type: ignore[misc] # published without types
    """A login form that finds the device of a code by itself: recovery codes contain letters."""

    def clean_otp(self, user: AbstractBaseUser | None) -> None:
        if device := device_for_code_format(user, self.cleaned_data.get("otp_token") or ""):
            self.cleaned_data["otp_device"] = device.persistent_id
        super().clean_otp(user)


def device_for_code_format(user: AbstractBaseUser | None, code: str) -> Device | None:
    """Return the user's device for codes of this form; it does not verify the code.

    Digits are a code of an authenticator app, anything else is a recovery code.
    """
    model = TOTPDevice if code.isdecimal() else StaticDevice
    return model.objects.filter(user=user, confirmed=True).first() if user else None


class OperatorAdminSite(OTPAdminSite):  # type: ignore[misc] # published without types
    login_form = LoginForm
    login_template = "newsletter/admin_login.html"
