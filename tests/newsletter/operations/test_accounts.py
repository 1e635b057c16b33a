"""Logging in to the admin takes a password and a one-time code."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter.operations import accounts

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def fast_password_hasher(settings: Any) -> None:
    """Use a fast hash: the default one takes longer than the test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def log_in(client: Client, *, password: str = PASSWORD, code: str = "") -> bool:
    fields = {"username": "ada", "password": password, "otp_token": code}
    client.post("/admin/login/", fields)
    return client.get("/admin/").status_code == 200


def code_now() -> str:
    device = TOTPDevice.objects.get()
    return f"{TOTP(device.bin_key, step=device.step, digits=device.digits).token():06}"


def test_a_password_and_a_code_log_in(client):
    accounts.add_operator("ada", PASSWORD)

    assert log_in(client, code=code_now())


@pytest.mark.parametrize("code", ["", "000000", "nonsense", "\u0663" * 6])
def test_a_password_without_a_valid_code_does_not_log_in(client, code):
    accounts.add_operator("ada", PASSWORD)

    assert not log_in(client, code=code)


def test_a_recovery_code_works_once(client):
    code = accounts.add_operator("ada", PASSWORD).recovery_codes[0]

    assert log_in(client, code=code)
    assert not log_in(Client(), code=code)


def test_staff_without_a_device_cannot_log_in(client):
    user = get_user_model().objects.create(username="ada", is_staff=True, is_superuser=True)
    client.force_login(user)

    assert client.get("/admin/").status_code == 302


def test_five_failed_attempts_lock_the_user_name_out(client):
    accounts.add_operator("ada", PASSWORD)
    responses = [
        client.post("/admin/login/", {"username": "ada", "password": f"guess {number}"})
        for number in range(6)
    ]

    assert [response.status_code for response in responses] == [200, 200, 200, 200, 429, 429]
    assert "Too many attempts" in responses[-1].content.decode()
    assert not log_in(client, code=code_now())


def run(*arguments: str, password: str = "", monkeypatch: Any) -> str:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    output = io.StringIO()
    call_command("add_operator", *arguments, stdout=output)
    return output.getvalue()


def test_add_operator_prints_the_credentials(monkeypatch):
    output = run("ada", password=f"{PASSWORD}\n", monkeypatch=monkeypatch)

    assert TOTPDevice.objects.get().config_url in output
    assert all(code in output for code in StaticToken.objects.values_list("token", flat=True))
    assert get_user_model().objects.get().check_password(PASSWORD)


def test_add_operator_twice_changes_nothing(monkeypatch):
    run("ada", password=f"{PASSWORD}\n", monkeypatch=monkeypatch)
    key = TOTPDevice.objects.get().key

    assert "nothing changed" in run("ada", password="other\n", monkeypatch=monkeypatch)
    assert TOTPDevice.objects.get().key == key


def test_a_lost_device_is_replaced(monkeypatch):
    run("ada", password=f"{PASSWORD}\n", monkeypatch=monkeypatch)
    key = TOTPDevice.objects.get().key

    run("ada", "--new-device", monkeypatch=monkeypatch)

    assert TOTPDevice.objects.get().key != key
    assert StaticToken.objects.count() == accounts.RECOVERY_CODE_COUNT


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [
        ("ada", "short\n", "too short"),
        ("ada", "password1234\n", "too common"),
        ("ada", "", "too short"),
        ("a b", f"{PASSWORD}\n", "Enter a valid username"),
        ("", f"{PASSWORD}\n", "cannot be blank"),
    ],
)
def test_an_invalid_name_or_password_is_explained_and_nobody_is_added(
    name, password, message, monkeypatch
):
    with pytest.raises(CommandError, match=message):
        run(name, password=password, monkeypatch=monkeypatch)

    assert not get_user_model().objects.exists()


def test_a_new_device_requires_an_existing_operator(monkeypatch):
    with pytest.raises(CommandError, match="no operator with that name"):
        run("ada", "--new-device", monkeypatch=monkeypatch)
