"""How long a source wants us to wait, in the headers of several services."""

from __future__ import annotations

import pytest
import requests

from papers.sources.rate_limits import is_rate_limited, parse_retry_after

# 1,700,000,000 seconds after the epoch.
SERVER_DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


def response(status: int, **headers: str) -> requests.Response:
    value = requests.Response()
    value.status_code = status
    value.headers.update({name.replace("_", "-"): text for name, text in headers.items()})
    return value


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("300", 300.0),
        ("0", 0.0),
        ("99999999", 999_999.0),
        ("Tue, 14 Nov 2023 22:18:20 GMT", 300.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(retry_after, seconds):
    assert parse_retry_after(response(429, Retry_After=retry_after, Date=SERVER_DATE)) == seconds


def test_a_date_without_the_servers_own_date_is_ignored():
    assert parse_retry_after(response(429, Retry_After="Tue, 14 Nov 2023 22:18:20 GMT")) is None


def test_the_time_of_a_reset_is_compared_with_our_clock_if_the_server_sends_no_date():
    headers = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "1600000000"}

    assert parse_retry_after(response(403, **headers)) == 0


@pytest.mark.parametrize(("status", "seconds"), [(429, 300.0), (200, None)])
def test_hugging_face_sends_ratelimit_with_every_response(status, seconds):
    assert parse_retry_after(response(status, RateLimit='"api";r=0;t=300')) == seconds


@pytest.mark.parametrize(
    ("status", "remaining", "reset", "seconds"),
    [
        (429, "0", "1700000090", 90.0),
        (403, "0", "1700000090", 90.0),
        (403, "0", "1600000000", 0.0),
        (403, "0", "90", 90.0),
        (403, "0", "1999999999", 86_400.0),
        (403, "3", "1700000090", None),
        (403, "0", "soon", None),
        (200, "0", "1700000090", None),
    ],
)
def test_github_sends_the_time_of_the_reset(status, remaining, reset, seconds):
    limited = response(
        status, Date=SERVER_DATE, X_RateLimit_Remaining=remaining, X_RateLimit_Reset=reset
    )

    assert parse_retry_after(limited) == seconds
    assert is_rate_limited(limited) == (status == 403 and seconds is not None)
