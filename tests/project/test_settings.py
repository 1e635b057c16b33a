"""newsletter/settings.py, run in this process with an environment of its own."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from email.utils import parseaddr
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SETTINGS_FILE: Path = settings.BASE_DIR / "newsletter/settings.py"
PRODUCTION = {
    "SITE_URL": "https://papers.example.org",
    "SECRET_KEY": "secret-" * 10,
    "POSTAL_ADDRESS": "1 Example Street, Bern",
}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that runs the settings with these variables and no others."""

    def load(**variables: str) -> SimpleNamespace:
        monkeypatch.setattr(os, "environ", {"DATA_DIR": str(tmp_path), **variables})
        return SimpleNamespace(**runpy.run_path(str(SETTINGS_FILE)))

    return load


def test_a_fresh_checkout_needs_no_variable(load):
    loaded = load()

    assert (loaded.DEBUG, loaded.EMAIL_PROVIDER, loaded.CELERY_TASK_ALWAYS_EAGER) == (
        True,
        "file",
        True,
    )


def test_a_missing_variable_stops_the_process_with_one_sentence(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "DEBUG": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    assert "SECRET_KEY is not set." in done.stderr.strip().splitlines()[-1]


def test_the_development_secret_key_is_created_once_and_readable_by_its_owner_only(load, tmp_path):
    first, second = load().SECRET_KEY, load().SECRET_KEY

    assert first == second
    assert len(first) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("missing", ["SECRET_KEY", "POSTAL_ADDRESS"])
def test_production_refuses_to_start_without(missing, load):
    variables = {name: value for name, value in PRODUCTION.items() if name != missing}

    with pytest.raises(ImproperlyConfigured, match=f"{missing} is not set."):
        load(**variables)


def test_a_public_site_url_turns_debug_off(load):
    loaded = load(**PRODUCTION)

    assert (loaded.DEBUG, loaded.ALLOWED_HOSTS) == (False, ["papers.example.org"])


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SITE_URL": "papers.example.org"}, "SITE_URL must be an address"),
        ({"DEBUG": "maybe"}, "DEBUG must be 1 or 0, not 'maybe'."),
        ({"SEND_RATE": "fast"}, "SEND_RATE must be a number, not 'fast'."),
        ({"SEND_RATE": "-1"}, "SEND_RATE must be zero or more, not '-1'."),
        ({"SEND_RATE": "nan"}, "SEND_RATE must be zero or more, not 'nan'."),
        ({"SIGNUP_ORIGINS": "https://lab.example.org/x"}, "must be origins such as https://lab."),
        ({"DISPOSABLE_DOMAINS_FILE": "/nowhere"}, "DISPOSABLE_DOMAINS_FILE"),
        ({"EMAIL_PROVIDER": "../x"}, "EMAIL_PROVIDER must be file, smtp or one of"),
        ({"EMAIL_PROVIDER": "postmrk"}, "EMAIL_PROVIDER must be file, smtp or one of"),
        ({"DEFAULT_FROM_EMAIL": "Papers, Inc. <p@x.org>"}, "Papers, Inc."),
        ({"DEFAULT_FROM_EMAIL": "papers"}, "papers"),
        ({"INBOUND_DOMAIN": "me@in.example.org"}, "INBOUND_DOMAIN must be a domain"),
    ],
)
def test_an_invalid_setting_is_refused_in_a_sentence(variables, sentence, load):
    with pytest.raises(ImproperlyConfigured) as caught:
        load(**variables)

    assert sentence in str(caught.value)


def test_the_variables_of_the_provider_reach_anymail(load):
    loaded = load(
        EMAIL_PROVIDER="postmark",
        POSTMARK_SERVER_TOKEN="token",
        ANYMAIL_WEBHOOK_SECRET="name:word",
    )

    assert loaded.EMAIL_BACKEND == "anymail.backends.postmark.EmailBackend"
    assert loaded.ANYMAIL["POSTMARK_SERVER_TOKEN"] == "token"
    assert loaded.ANYMAIL["WEBHOOK_SECRET"] == "name:word"


def test_without_a_webhook_secret_no_webhook_request_is_authentic(load):
    first, second = (load().ANYMAIL["WEBHOOK_SECRET"] for _ in range(2))

    assert first.startswith("closed:")
    assert first != second


def test_amazons_client_never_retries_a_call_by_itself(load):
    loaded = load(
        EMAIL_PROVIDER="amazon_ses", AMAZON_SES_CLIENT_PARAMS='{"region_name": "eu-west-1"}'
    )

    parameters = loaded.ANYMAIL["AMAZON_SES_CLIENT_PARAMS"]
    assert parameters["region_name"] == "eu-west-1"
    assert parameters["config"]["retries"] == {"total_max_attempts": 1}


def test_the_name_of_the_site_is_a_setting(load):
    assert load().SITE_NAME == "Trending Papers"
    assert load(SITE_NAME="Lab Papers").SITE_NAME == "Lab Papers"


def test_a_site_name_with_a_comma_is_quoted_in_the_sender(load):
    sender = load(SITE_NAME="Papers, Inc.").DEFAULT_FROM_EMAIL

    assert parseaddr(sender) == ("Papers, Inc.", "papers@localhost")


def test_a_site_name_of_two_lines_is_refused(load):
    with pytest.raises(ImproperlyConfigured, match="SITE_NAME must be one line"):
        load(SITE_NAME="Lab\nPapers")
