"""Who may sit at the operators' desk: a name, a password, and a device that shows codes."""

from __future__ import annotations

import io
from dataclasses import dataclass

import qrcode
from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.models import User
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

# For when the device is lost: each works once.
RECOVERY_CODE_COUNT = 8


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an operator needs to log in beside the password; shown once, and not kept readable."""

    otpauth_url: str
    recovery_codes: tuple[str, ...]

    def as_qr_code(self) -> str:
        """The address as a QR code for a terminal."""
        code, drawn = qrcode.QRCode(border=1), io.StringIO()
        code.add_data(self.otpauth_url)
        code.print_ascii(out=drawn, invert=True)
        return drawn.getvalue()


def find_operator(name: str) -> User | None:
    return get_user_model().objects.filter(username=name).first()


@transaction.atomic
def add_operator(name: str, password: str) -> Credentials:
    """A new operator; ValidationError says what is wrong with the name or the password."""
    operator = get_user_model()(username=name, is_staff=True, is_superuser=True)
    operator.set_password(password)
    operator.full_clean()
    password_validation.validate_password(password, operator)
    operator.save()
    return renew_credentials(operator)


@transaction.atomic
def renew_credentials(operator: User) -> Credentials:
    """A new device and new recovery codes; the old ones work no more."""
    TOTPDevice.objects.filter(user=operator).delete()
    StaticDevice.objects.filter(user=operator).delete()
    device = TOTPDevice.objects.create(user=operator, name="device")
    recovery = StaticDevice.objects.create(user=operator, name="recovery codes")
    codes = tuple(StaticToken.random_token() for _ in range(RECOVERY_CODE_COUNT))
    recovery.token_set.bulk_create(StaticToken(device=recovery, token=code) for code in codes)
    return Credentials(device.config_url, codes)
