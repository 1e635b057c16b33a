"""subscribers/mail/outcomes.py"""

from __future__ import annotations

import smtplib
import socket
from datetime import timedelta

import pytest
import requests
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailSerializationError,
)
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from subscribers.mail import outcomes
from subscribers.mail.outcomes import Kind


def answered(status: int, **headers: str) -> AnymailRequestsAPIError:
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return AnymailRequestsAPIError(response=response)


def broken(cause: Exception) -> AnymailRequestsAPIError:
    """As Anymail raises it: both its own error and, as the cause, that of requests."""
    kind = type("AnymailRequestsAPIError", (AnymailRequestsAPIError, type(cause)), {})
    error: AnymailRequestsAPIError = kind("Error posting to the provider")
    error.__cause__ = cause
    return error


def not_connected(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


REFUSED_CONNECTION = not_connected(NewConnectionError(None, "refused"))  # type: ignore[arg-type]
NO_SUCH_HOST = not_connected(
    NameResolutionError("api.example", None, socket.gaierror())  # type: ignore[arg-type]
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AnymailRecipientsRefused(), Kind.FAILED),
        (AnymailSerializationError(), Kind.REFUSED),
        (ValueError("not an address"), Kind.REFUSED),
        (AnymailConfigurationError(), Kind.UNSENT),
        (answered(400), Kind.REFUSED),
        (answered(401), Kind.UNSENT),
        (answered(422), Kind.REFUSED),
        (answered(413), Kind.REFUSED),
        (answered(429), Kind.UNSENT),
        (answered(500), Kind.UNKNOWN),
        (answered(503), Kind.UNKNOWN),
        (answered(200), Kind.UNKNOWN),
        (answered(302), Kind.UNKNOWN),
        (broken(requests.ConnectTimeout()), Kind.UNSENT),
        (broken(REFUSED_CONNECTION), Kind.UNSENT),
        (broken(NO_SUCH_HOST), Kind.UNSENT),
        (broken(requests.ReadTimeout()), Kind.UNKNOWN),
        (broken(requests.ConnectionError("Connection aborted.")), Kind.UNKNOWN),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (550, b"no such user")}), Kind.FAILED),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (450, b"later")}), Kind.UNSENT),
        (smtplib.SMTPDataError(554, b"refused"), Kind.REFUSED),
        (smtplib.SMTPDataError(451, b"later"), Kind.UNSENT),
        (smtplib.SMTPSenderRefused(421, b"too many", "me@example.org"), Kind.UNSENT),
        (smtplib.SMTPSenderRefused(530, b"log in first", "me@example.org"), Kind.UNSENT),
        (smtplib.SMTPServerDisconnected("closed"), Kind.UNKNOWN),
        (TimeoutError(), Kind.UNKNOWN),
        (ConnectionResetError(), Kind.UNKNOWN),
        (ConnectionRefusedError(), Kind.UNSENT),
        (PermissionError(), Kind.UNSENT),
    ],
)
def test_what_an_error_means_for_the_message(error: Exception, kind: Kind) -> None:
    assert outcomes.of_error(error).kind == kind


def test_an_error_that_nobody_foresaw_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        outcomes.of_error(ZeroDivisionError())


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry_After": "17"}, timedelta(seconds=17)),
        ({"Retry_After": "0"}, timedelta()),
        ({"Retry_After": "99999999"}, outcomes.LONGEST_PAUSE),
        ({"Retry_After": "-5"}, outcomes.PAUSE),
        ({"Retry_After": "soon"}, outcomes.PAUSE),
        ({"Retry_After": "٣"}, outcomes.PAUSE),
        ({}, outcomes.PAUSE),
        (
            {
                "Date": "Tue, 12 May 2026 07:00:00 GMT",
                "Retry_After": "Tue, 12 May 2026 07:00:30 GMT",
            },
            timedelta(seconds=30),
        ),
        ({"Retry_After": "Tue, 12 May 2026 07:00:30 GMT"}, outcomes.PAUSE),
    ],
)
def test_a_provider_s_retry_after_is_honoured_within_reason(
    headers: dict[str, str], pause: timedelta
) -> None:
    assert outcomes.of_error(answered(429, **headers)).pause == pause


def test_a_fault_of_one_message_does_not_stop_the_others() -> None:
    assert outcomes.of_error(answered(422)).pause is None


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_fault_of_the_whole_account_stops_the_batch(status: int) -> None:
    assert outcomes.of_error(answered(status)).pause is not None


def test_what_is_kept_of_an_error_names_nobody() -> None:
    error = smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no <ada@example.org>")})

    assert "ada" not in outcomes.of_error(error).error


def test_what_is_kept_of_an_error_is_one_short_line() -> None:
    kept = outcomes.sentence(ValueError("a\nb\x00" + "c" * 10_000))

    assert kept.startswith("ValueError: a b")
    assert len(kept) == outcomes.LONGEST_ERROR
