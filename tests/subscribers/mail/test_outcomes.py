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
from subscribers.mail.outcomes import OutcomeKind


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
        (AnymailRecipientsRefused(), OutcomeKind.FAILED),
        (AnymailSerializationError(), OutcomeKind.REFUSED),
        (ValueError("not an address"), OutcomeKind.REFUSED),
        (AnymailConfigurationError(), OutcomeKind.UNSENT),
        (answered(400), OutcomeKind.REFUSED),
        (answered(401), OutcomeKind.UNSENT),
        (answered(422), OutcomeKind.REFUSED),
        (answered(413), OutcomeKind.REFUSED),
        (answered(429), OutcomeKind.UNSENT),
        (answered(500), OutcomeKind.UNKNOWN),
        (answered(503), OutcomeKind.UNKNOWN),
        (answered(200), OutcomeKind.UNKNOWN),
        (answered(302), OutcomeKind.UNKNOWN),
        (broken(requests.ConnectTimeout()), OutcomeKind.UNSENT),
        (broken(REFUSED_CONNECTION), OutcomeKind.UNSENT),
        (broken(NO_SUCH_HOST), OutcomeKind.UNSENT),
        (broken(requests.ReadTimeout()), OutcomeKind.UNKNOWN),
        (broken(requests.ConnectionError("Connection aborted.")), OutcomeKind.UNKNOWN),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (550, b"no such user")}), OutcomeKind.FAILED),
        (smtplib.SMTPRecipientsRefused({"a@b.c": (450, b"later")}), OutcomeKind.UNSENT),
        (smtplib.SMTPDataError(554, b"refused"), OutcomeKind.REFUSED),
        (smtplib.SMTPDataError(451, b"later"), OutcomeKind.UNSENT),
        (smtplib.SMTPSenderRefused(421, b"too many", "me@example.org"), OutcomeKind.UNSENT),
        (smtplib.SMTPSenderRefused(530, b"log in first", "me@example.org"), OutcomeKind.UNSENT),
        (smtplib.SMTPServerDisconnected("closed"), OutcomeKind.UNKNOWN),
        (TimeoutError(), OutcomeKind.UNKNOWN),
        (ConnectionResetError(), OutcomeKind.UNKNOWN),
        (ConnectionRefusedError(), OutcomeKind.UNSENT),
        (PermissionError(), OutcomeKind.UNSENT),
    ],
)
def test_what_an_error_means_for_the_message(error: Exception, kind: OutcomeKind) -> None:
    assert outcomes.outcome_for_error(error).kind == kind


def test_an_error_that_nobody_foresaw_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        outcomes.outcome_for_error(ZeroDivisionError())


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry_After": "17"}, timedelta(seconds=17)),
        ({"Retry_After": "0"}, timedelta()),
        ({"Retry_After": "99999999"}, outcomes.MAX_PAUSE),
        ({"Retry_After": "-5"}, outcomes.DEFAULT_PAUSE),
        ({"Retry_After": "soon"}, outcomes.DEFAULT_PAUSE),
        ({"Retry_After": "٣"}, outcomes.DEFAULT_PAUSE),
        ({}, outcomes.DEFAULT_PAUSE),
        (
            {
                "Date": "Tue, 12 May 2026 07:00:00 GMT",
                "Retry_After": "Tue, 12 May 2026 07:00:30 GMT",
            },
            timedelta(seconds=30),
        ),
        ({"Retry_After": "Tue, 12 May 2026 07:00:30 GMT"}, outcomes.DEFAULT_PAUSE),
    ],
)
def test_a_provider_s_retry_after_is_honoured_within_reason(
    headers: dict[str, str], pause: timedelta
) -> None:
    assert outcomes.outcome_for_error(answered(429, **headers)).pause == pause


def test_a_fault_of_one_message_does_not_stop_the_others() -> None:
    assert outcomes.outcome_for_error(answered(422)).pause is None


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_fault_of_the_whole_account_stops_the_batch(status: int) -> None:
    assert outcomes.outcome_for_error(answered(status)).pause is not None


def test_what_is_kept_of_an_error_names_nobody() -> None:
    error = smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no <ada@example.org>")})

    assert "ada" not in outcomes.outcome_for_error(error).error


def test_what_is_kept_of_an_error_is_one_short_line() -> None:
    kept = outcomes.error_summary(ValueError("a\nb\x00" + "c" * 10_000))

    assert kept.startswith("ValueError: a b")
    assert len(kept) == outcomes.MAX_ERROR_CHARS
