"""The operators' desk opens to a password and a code, and to nothing less."""

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
def quick_passwords(settings: Any) -> None:
    """Hashing one takes longer than the test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def log_in(client: Client, *, password: str = PASSWORD, code: str = "") -> bool:
    fields = {"username": "ada", "password": password, "otp_token": code}
    client.post("/admin/login/", fields)
    return client.get("/admin/").status_code == 200


def code_now() -> str:
    device = TOTPDevice.objects.get()
    return f"{TOTP(device.bin_key, step=device.step, digits=device.digits).token():06}"


def test_a_password_and_a_code_open_the_desk(client):
    accounts.add_operator("ada", PASSWORD)

    assert log_in(client, code=code_now())


@pytest.mark.parametrize("code", ["", "000000", "nonsense", "\u0663" * 6])
def test_a_password_alone_or_with_a_wrong_code_does_not(client, code):
    accounts.add_operator("ada", PASSWORD)

    assert not log_in(client, code=code)


def test_a_recovery_code_works_once(client):
    code = accounts.add_operator("ada", PASSWORD).recovery_codes[0]

    assert log_in(client, code=code)
    assert not log_in(Client(), code=code)


def test_staff_without_a_device_is_not_let_in(client):
    user = get_user_model().objects.create(username="ada", is_staff=True, is_superuser=True)
    client.force_login(user)

    assert client.get("/admin/").status_code == 302


def test_who_guesses_is_locked_out_for_a_while(client):
    accounts.add_operator("ada", PASSWORD)
    answers = [
        client.post("/admin/login/", {"username": "ada", "password": f"guess {number}"})
        for number in range(6)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]
    assert "Too many attempts" in answers[-1].content.decode()
    assert not log_in(client, code=code_now())


def run(*arguments: str, typed: str = "", monkeypatch: Any) -> str:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    out = io.StringIO()
    call_command("add_operator", *arguments, stdout=out)
    return out.getvalue()


def test_add_operator_shows_what_is_needed_to_log_in(monkeypatch):
    shown = run("ada", typed=f"{PASSWORD}\n", monkeypatch=monkeypatch)

    assert TOTPDevice.objects.get().config_url in shown
    assert all(code in shown for code in StaticToken.objects.values_list("token", flat=True))
    assert get_user_model().objects.get().check_password(PASSWORD)


def test_add_operator_twice_changes_nothing(monkeypatch):
    run("ada", typed=f"{PASSWORD}\n", monkeypatch=monkeypatch)
    key = TOTPDevice.objects.get().key

    assert "nothing changed" in run("ada", typed="other\n", monkeypatch=monkeypatch)
    assert TOTPDevice.objects.get().key == key


def test_a_lost_device_is_replaced(monkeypatch):
    run("ada", typed=f"{PASSWORD}\n", monkeypatch=monkeypatch)
    key = TOTPDevice.objects.get().key

    run("ada", "--new-device", monkeypatch=monkeypatch)

    assert TOTPDevice.objects.get().key != key
    assert StaticToken.objects.count() == accounts.RECOVERY_CODE_COUNT


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("ada", "short\n", "too short"),
        ("ada", "password1234\n", "too common"),
        ("ada", "", "too short"),
        ("a b", f"{PASSWORD}\n", "Enter a valid username"),
        ("", f"{PASSWORD}\n", "cannot be blank"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_added(name, typed, sentence, monkeypatch):
    with pytest.raises(CommandError, match=sentence):
        run(name, typed=typed, monkeypatch=monkeypatch)

    assert not get_user_model().objects.exists()


def test_a_device_is_only_for_who_is_there(monkeypatch):
    with pytest.raises(CommandError, match="no operator with that name"):
        run("ada", "--new-device", monkeypatch=monkeypatch)
