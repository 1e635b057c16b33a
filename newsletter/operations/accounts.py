"""Operator accounts: a password, a TOTP device and recovery codes."""

from __future__ import annotations

import io
from dataclasses import dataclass

import qrcode
from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.models import User
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

# For a lost device; each code works once.
RECOVERY_CODE_COUNT = 8


@dataclass(frozen=True, slots=True)
class Credentials:
    """The second factors of an operator; shown once, and not stored in readable form."""

    otpauth_url: str
    recovery_codes: tuple[str, ...]

    def as_qr_code(self) -> str:
        """Return the URL as a QR code for a terminal."""
        code, output = qrcode.QRCode(border=1), io.StringIO()
        code.add_data(self.otpauth_url)
        code.print_ascii(out=output, invert=True)
        return output.getvalue()


def find_operator(name: str) -> User | None:
    return get_user_model().objects.filter(username=name).first()


@transaction.atomic
def add_operator(name: str, password: str) -> Credentials:
    """Create an operator; raise ValidationError for an invalid name or a weak password."""
    operator = get_user_model()(username=name, is_staff=True, is_superuser=True)
    operator.set_password(password)
    operator.full_clean()
    password_validation.validate_password(password, operator)
    operator.save()
    return renew_credentials(operator)


@transaction.atomic
def renew_credentials(operator: User) -> Credentials:
    """Replace the device and the recovery codes; the old ones no longer work."""
    TOTPDevice.objects.filter(user=operator).delete()
    StaticDevice.objects.filter(user=operator).delete()
    device = TOTPDevice.objects.create(user=operator, name="device")
    recovery = StaticDevice.objects.create(user=operator, name="recovery codes")
    codes = tuple(StaticToken.random_token() for _ in range(RECOVERY_CODE_COUNT))
    recovery.token_set.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
    return Credentials(device.config_url, codes)
