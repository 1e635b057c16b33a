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


def api_error(status: int, **headers: str) -> AnymailRequestsAPIError:
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return AnymailRequestsAPIError(response=response)


def anymail_error(cause: Exception) -> AnymailRequestsAPIError:
    """Return the error that Anymail raises: of both classes, with the cause set."""
    kind = type("AnymailRequestsAPIError", (AnymailRequestsAPIError, type(cause)), {})
    error: AnymailRequestsAPIError = kind("Error posting to the provider")
    error.__cause__ = cause
    return error


def connect_error(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


REFUSED_CONNECTION = connect_error(NewConnectionError(None, "refused"))  # type: ignore[arg-type]
NO_SUCH_HOST = connect_error(
    NameResolutionError("api.example", None, socket.gaierror())  # type: ignore[arg-type]
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AnymailRecipientsRefused(), OutcomeKind.FAILED),
        (AnymailSerializationError(), OutcomeKind.REFUSED),
        (ValueError("not an address"), OutcomeKind.REFUSED),
        (AnymailConfigurationError(), OutcomeKind.UNSENT),
        (api_error(400), OutcomeKind.REFUSED),
        (api_error(401), OutcomeKind.UNSENT),
        (api_error(422), OutcomeKind.REFUSED),
        (api_error(413), OutcomeKind.REFUSED),
        (api_error(429), OutcomeKind.UNSENT),
        (api_error(500), OutcomeKind.UNKNOWN),
        (api_error(503), OutcomeKind.UNKNOWN),
        (api_error(200), OutcomeKind.UNKNOWN),
        (api_error(302), OutcomeKind.UNKNOWN),
        (anymail_error(requests.ConnectTimeout()), OutcomeKind.UNSENT),
        (anymail_error(REFUSED_CONNECTION), OutcomeKind.UNSENT),
        (anymail_error(NO_SUCH_HOST), OutcomeKind.UNSENT),
        (anymail_error(requests.ReadTimeout()), OutcomeKind.UNKNOWN),
        (anymail_error(requests.ConnectionError("Connection aborted.")), OutcomeKind.UNKNOWN),
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
def test_an_error_has_an_outcome(error: Exception, kind: OutcomeKind) -> None:
    assert outcomes.outcome_for_error(error).kind == kind


def test_an_unexpected_error_is_raised_again() -> None:
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
def test_retry_after_is_honoured_up_to_a_maximum(headers: dict[str, str], pause: timedelta) -> None:
    assert outcomes.outcome_for_error(api_error(429, **headers)).pause == pause


def test_an_error_of_one_message_causes_no_pause() -> None:
    assert outcomes.outcome_for_error(api_error(422)).pause is None


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_an_error_of_the_account_causes_a_pause(status: int) -> None:
    assert outcomes.outcome_for_error(api_error(status)).pause is not None


def test_an_error_summary_contains_no_address() -> None:
    error = smtplib.SMTPRecipientsRefused({"ada@example.org": (550, b"no <ada@example.org>")})

    assert "ada" not in outcomes.outcome_for_error(error).error


def test_an_error_summary_is_one_short_line() -> None:
    summary = outcomes.error_summary(ValueError("a\nb\x00" + "c" * 10_000))

    assert summary.startswith("ValueError: a b")
    assert len(summary) == outcomes.MAX_ERROR_CHARS
