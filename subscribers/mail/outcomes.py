"""Interpret what sending a message raised: sent, failed, or unknown.

The distinction that matters is between UNSENT, which is safe to retry, and UNKNOWN, which is not:
a retry could send the message twice. When in doubt, return UNKNOWN.
"""

from __future__ import annotations

import enum
import re
import smtplib
import socket
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
)
from urllib3.exceptions import NewConnectionError

# The pause after a provider refused to accept mail without a Retry-After, or did not answer.
DEFAULT_PAUSE = timedelta(minutes=1)
MAX_PAUSE = timedelta(hours=1)
MAX_ERROR_CHARS = 300
EMAIL_ADDRESS_PATTERN = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")

# Statuses that concern this message only; the provider may accept the next one.
MESSAGE_ERROR_STATUSES = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
# Amazon SES returns 400 for nearly every error; these two codes concern the message.
SES_MESSAGE_ERROR_CODES = {"BadRequestException", "MessageRejected"}
# Errors of Amazon's client without an HTTP status; all occur before anything is sent.
BOTO_NOT_SENT_ERRORS = {
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "NoCredentialsError",
    "NoRegionError",
    "ParamValidationError",
    "ProxyConnectionError",
}


class OutcomeKind(enum.Enum):
    HANDED_OVER = "accepted by the provider"
    FAILED = "the recipient was refused permanently"
    UNSENT = "certainly not sent, worth a retry"
    REFUSED = "certainly not sent, the message was refused"
    UNKNOWN = "may or may not have been sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result for one message; with `pause`, send nothing through the provider that long."""

    kind: OutcomeKind
    message_id: str = ""
    error: str = ""
    pause: timedelta | None = None


def outcome_for_error(error: Exception) -> Outcome:
    """Return the outcome for an exception that sending raised; raise an unexpected one again."""
    match error:
        case AnymailRecipientsRefused():
            return failed(error)
        case AnymailConfigurationError():
            return unsent(error, pause=DEFAULT_PAUSE)
        case AnymailAPIError():
            return outcome_for_api_error(error)
        case AnymailError():
            return refused(error)  # The message does not fit the provider's API.
        case ValueError():
            return refused(error)  # Such as an invalid sender address.
        case smtplib.SMTPException():
            return outcome_for_smtp_error(error)
        case OSError():
            return (
                unsent(error, pause=DEFAULT_PAUSE) if is_certainly_unsent(error) else unknown(error)
            )
        case _:
            raise error


def outcome_for_api_error(error: AnymailAPIError) -> Outcome:
    """Return the outcome for an API error: only a 4xx status proves that nothing was sent."""
    status = http_status_of(error)
    if status is None:
        return unsent(error, pause=DEFAULT_PAUSE) if is_api_connect_error(error) else unknown(error)
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return unknown(error)  # A 5xx, or a 2xx with an unreadable body.
    if is_message_error(error, status):
        return refused(error)
    return unsent(error, pause=parse_retry_after(error))


def is_message_error(error: AnymailAPIError, status: int) -> bool:
    if isinstance(error.response, dict):
        return error.response.get("Error", {}).get("Code") in SES_MESSAGE_ERROR_CODES
    return status in MESSAGE_ERROR_STATUSES


def http_status_of(error: AnymailAPIError) -> int | None:
    if isinstance(error.response, dict):  # Amazon SES
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = error.status_code
    return status if isinstance(status, int) else None


def is_api_connect_error(error: AnymailAPIError) -> bool:
    cause = error.__cause__
    if isinstance(cause, requests.ConnectTimeout):
        return True
    if type(cause).__name__ in BOTO_NOT_SENT_ERRORS:
        return True
    reason = getattr(cause.args[0], "reason", None) if cause and cause.args else None
    return isinstance(reason, NewConnectionError)  # Name resolution errors are a subclass.


def outcome_for_smtp_error(error: smtplib.SMTPException) -> Outcome:
    match error:
        case smtplib.SMTPRecipientsRefused():
            permanent = all(code >= 500 for code, _ in error.recipients.values())
            return failed(error) if permanent else unsent(error)
        case smtplib.SMTPSenderRefused():
            return unsent(error, pause=DEFAULT_PAUSE)  # Our account or quota, not the recipient.
        case smtplib.SMTPResponseException():
            return refused(error) if error.smtp_code >= 500 else unsent(error, pause=DEFAULT_PAUSE)
        case _:
            return unknown(error)  # The connection broke, perhaps after the message was sent.


def is_certainly_unsent(error: OSError) -> bool:
    return isinstance(
        error, ConnectionRefusedError | FileNotFoundError | PermissionError | socket.gaierror
    )


def parse_retry_after(error: AnymailAPIError) -> timedelta:
    """Return the pause from a Retry-After in seconds or as a date, at most MAX_PAUSE."""
    headers: Any = getattr(error.response, "headers", {})
    value = headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(timedelta(seconds=int(value)), MAX_PAUSE)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date", ""))
    except (TypeError, ValueError):
        return DEFAULT_PAUSE
    return min(max(wait, timedelta()), MAX_PAUSE)


def failed(error: Exception) -> Outcome:
    return Outcome(kind=OutcomeKind.FAILED, error=error_summary(error))


def refused(error: Exception) -> Outcome:
    return Outcome(kind=OutcomeKind.REFUSED, error=error_summary(error))


def unsent(error: Exception, *, pause: timedelta | None = None) -> Outcome:
    return Outcome(kind=OutcomeKind.UNSENT, error=error_summary(error), pause=pause)


def unknown(error: Exception) -> Outcome:
    return Outcome(kind=OutcomeKind.UNKNOWN, error=error_summary(error), pause=DEFAULT_PAUSE)


def error_summary(error: Exception) -> str:
    """Return a one-line description without email addresses, fit to be stored and logged."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).replace("\x00", "")
    return EMAIL_ADDRESS_PATTERN.sub("…", text)[:MAX_ERROR_CHARS]
