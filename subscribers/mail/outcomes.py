"""Classify what a provider's response, or the lack of one, means for a message."""

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

# The pause after a response that asks for one without a duration, or after no response.
DEFAULT_PAUSE = timedelta(minutes=1)
MAX_PAUSE = timedelta(hours=1)
MAX_ERROR_CHARS = 300
EMAIL_ADDRESS_PATTERN = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")

# Statuses that concern this message only: the next one may be accepted.
MESSAGE_ERROR_STATUSES = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
# Amazon answers 400 to nearly everything; these two codes concern the message.
SES_MESSAGE_ERROR_CODES = {"BadRequestException", "MessageRejected"}
# Amazon's client raises these without a status; nothing was sent.
BOTO_NOT_SENT_ERRORS = {
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "NoCredentialsError",
    "NoRegionError",
    "ParamValidationError",
    "ProxyConnectionError",
}


class OutcomeKind(enum.Enum):
    HANDED_OVER = "handed over"
    FAILED = "refused permanently"
    UNSENT = "not sent, to be retried"
    REFUSED = "refused as it is, and not sent"
    UNKNOWN = "may or may not have been sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one message, and for how long to pause calls to the provider."""

    kind: OutcomeKind
    message_id: str = ""
    error: str = ""
    pause: timedelta | None = None


def outcome_for_error(error: Exception) -> Outcome:
    """Return the outcome for an error raised while sending; re-raise an unexpected one."""
    match error:
        case AnymailRecipientsRefused():
            return failed(error)
        case AnymailConfigurationError():
            return unsent(error, pause=DEFAULT_PAUSE)
        case AnymailAPIError():
            return outcome_for_api_error(error)
        case AnymailError():
            return refused(error)  # the message cannot be serialised for this provider
        case ValueError():
            return refused(error)  # nor for any, for example with an invalid sender
        case smtplib.SMTPException():
            return outcome_for_smtp_error(error)
        case OSError():
            return (
                unsent(error, pause=DEFAULT_PAUSE) if is_certainly_unsent(error) else unknown(error)
            )
        case _:
            raise error


def outcome_for_api_error(error: AnymailAPIError) -> Outcome:
    """Return the outcome of an API error: after 4xx nothing was sent, after 5xx it is unknown."""
    status = http_status_of(error)
    if status is None:
        return unsent(error, pause=DEFAULT_PAUSE) if is_api_connect_error(error) else unknown(error)
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return unknown(error)  # 5xx, or 2xx with an unreadable body
    if is_message_error(error, status):
        return refused(error)
    return unsent(error, pause=parse_retry_after(error))


def is_message_error(error: AnymailAPIError, status: int) -> bool:
    if isinstance(error.response, dict):
        return error.response.get("Error", {}).get("Code") in SES_MESSAGE_ERROR_CODES
    return status in MESSAGE_ERROR_STATUSES


def http_status_of(error: AnymailAPIError) -> int | None:
    if isinstance(error.response, dict):  # Amazon's
        status: int | None = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = error.status_code
    return status


def is_api_connect_error(error: AnymailAPIError) -> bool:
    cause = error.__cause__
    if isinstance(cause, requests.ConnectTimeout):
        return True
    if type(cause).__name__ in BOTO_NOT_SENT_ERRORS:
        return True
    reason = getattr(cause.args[0], "reason", None) if cause and cause.args else None
    return isinstance(reason, NewConnectionError)  # includes name resolution errors


def outcome_for_smtp_error(error: smtplib.SMTPException) -> Outcome:
    match error:
        case smtplib.SMTPRecipientsRefused():
            permanent = all(code >= 500 for code, _ in error.recipients.values())
            return failed(error) if permanent else unsent(error)
        case smtplib.SMTPSenderRefused():
            return unsent(
                error, pause=DEFAULT_PAUSE
            )  # concerns our account or quota, not the address
        case smtplib.SMTPResponseException():
            return refused(error) if error.smtp_code >= 500 else unsent(error, pause=DEFAULT_PAUSE)
        case _:
            return unknown(
                error
            )  # the connection broke off, perhaps after the message was accepted


def is_certainly_unsent(error: OSError) -> bool:
    return isinstance(
        error, ConnectionRefusedError | FileNotFoundError | PermissionError | socket.gaierror
    )


def parse_retry_after(error: AnymailAPIError) -> timedelta:
    """Return the pause of Retry-After, in seconds or as a date, at most MAX_PAUSE."""
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
    """Return an error on one line without email addresses: it is stored and logged."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).replace("\x00", "")
    return EMAIL_ADDRESS_PATTERN.sub("…", text)[:MAX_ERROR_CHARS]
