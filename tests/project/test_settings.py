"""newsletter/settings.py, as a process of its own reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

PRODUCTION = {
    "SITE_URL": "https://papers.example.org",
    "SECRET_KEY": "secret-" * 10,
    "POSTAL_ADDRESS": "1 Example Street, Bern",
}


def start(tmp_path: Path, expression: str = "''", **variables: str) -> tuple[int, str, str]:
    """Print an expression of the settings: exit status, output, and the last line of errors."""
    code = f"from newsletter import settings as s; print({expression})"
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.strip(), (done.stderr.strip().splitlines() or [""])[-1]


def test_a_fresh_checkout_needs_nothing(tmp_path: Path) -> None:
    status, output, _ = start(tmp_path, "s.DEBUG, s.EMAIL_PROVIDER, s.CELERY_TASK_ALWAYS_EAGER")

    assert (status, output) == (0, "True file True")


def test_a_laptop_s_secret_is_made_once_and_kept_to_oneself(tmp_path: Path) -> None:
    _, first, _ = start(tmp_path, "s.SECRET_KEY")
    _, second, _ = start(tmp_path, "s.SECRET_KEY")

    assert first == second
    assert len(first) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("missing", ["SECRET_KEY", "POSTAL_ADDRESS"])
def test_production_refuses_to_start_without(missing: str, tmp_path: Path) -> None:
    variables = {name: value for name, value in PRODUCTION.items() if name != missing}

    status, _, error = start(tmp_path, **variables)

    assert status != 0
    assert f"{missing} is not set." in error


def test_a_public_address_turns_debugging_off(tmp_path: Path) -> None:
    status, output, _ = start(tmp_path, "s.DEBUG, s.ALLOWED_HOSTS", **PRODUCTION)

    assert (status, output) == (0, "False ['papers.example.org']")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SITE_URL": "papers.example.org"}, "SITE_URL must be an address"),
        ({"DEBUG": "maybe"}, "DEBUG must be 1 or 0, not 'maybe'."),
        ({"SEND_RATE": "fast"}, "SEND_RATE must be a number, not 'fast'."),
        ({"SEND_RATE": "-1"}, "SEND_RATE must be zero or more, not '-1'."),
        ({"SEND_RATE": "nan"}, "SEND_RATE must be zero or more, not 'nan'."),
        ({"SIGNUP_ORIGINS": "https://lab.example.org/x"}, "must be origins such as https://lab."),
        ({"DISPOSABLE_DOMAINS_FILE": "/nowhere"}, "DISPOSABLE_DOMAINS_FILE is not there"),
        ({"EMAIL_PROVIDER": "../x"}, "EMAIL_PROVIDER must be file, smtp or one of"),
        ({"EMAIL_PROVIDER": "postmrk"}, "EMAIL_PROVIDER must be file, smtp or one of"),
        ({"DEFAULT_FROM_EMAIL": "Papers, Inc. <p@x.org>"}, "Papers, Inc."),
        ({"DEFAULT_FROM_EMAIL": "papers"}, "holds a comma in quotes"),
        ({"INBOUND_DOMAIN": "me@in.example.org"}, "INBOUND_DOMAIN must be a domain"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_in_a_sentence(
    variables: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    status, _, error = start(tmp_path, **variables)

    assert status != 0
    assert sentence in error


def test_the_provider_s_own_variables_reach_anymail(tmp_path: Path) -> None:
    _, output, _ = start(
        tmp_path,
        "s.EMAIL_BACKEND, s.ANYMAIL['POSTMARK_SERVER_TOKEN'], s.ANYMAIL['WEBHOOK_SECRET']",
        EMAIL_PROVIDER="postmark",
        POSTMARK_SERVER_TOKEN="token",
        ANYMAIL_WEBHOOK_SECRET="name:word",
    )

    assert output == "anymail.backends.postmark.EmailBackend token name:word"


def test_without_a_webhook_secret_the_webhooks_are_closed(tmp_path: Path) -> None:
    _, first, _ = start(tmp_path, "s.ANYMAIL['WEBHOOK_SECRET']")
    _, second, _ = start(tmp_path, "s.ANYMAIL['WEBHOOK_SECRET']")

    assert first.startswith("closed:")
    assert first != second


def test_amazon_s_client_never_repeats_a_call_by_itself(tmp_path: Path) -> None:
    _, output, _ = start(
        tmp_path,
        "s.ANYMAIL['AMAZON_SES_CLIENT_PARAMS']",
        EMAIL_PROVIDER="amazon_ses",
        AMAZON_SES_CLIENT_PARAMS='{"region_name": "eu-west-1"}',
    )

    assert "'region_name': 'eu-west-1'" in output
    assert "'retries': {'total_max_attempts': 1}" in output
