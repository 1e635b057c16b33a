"""What a provider's answer, or the lack of one, means for a message."""

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

# How long to leave a provider alone that says "later" without saying when, or says nothing.
DEFAULT_PAUSE = timedelta(minutes=1)
MAX_PAUSE = timedelta(hours=1)
MAX_ERROR_CHARS = 300
EMAIL_ADDRESS_PATTERN = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")

# Answers that find fault with this message only: the next one may be taken.
MESSAGE_ERROR_STATUSES = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
# Amazon answers 400 to nearly everything; these two are about the message.
SES_MESSAGE_ERROR_CODES = {"BadRequestException", "MessageRejected"}
# Amazon's client wraps these in an error without a status; none has sent anything.
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
    FAILED = "refused for good"
    UNSENT = "surely not sent, and worth another try"
    REFUSED = "refused as it is, and surely not sent"
    UNKNOWN = "may or may not have been sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one message; with `pause`, leave the provider alone that long."""

    kind: OutcomeKind
    message_id: str = ""
    error: str = ""
    pause: timedelta | None = None


def outcome_for_error(error: Exception) -> Outcome:
    """The meaning of what sending raised; an error that is not foreseen here is raised again."""
    match error:
        case AnymailRecipientsRefused():
            return failed(error)
        case AnymailConfigurationError():
            return unsent(error, pause=DEFAULT_PAUSE)
        case AnymailAPIError():
            return outcome_for_api_error(error)
        case AnymailError():
            return refused(error)  # the message cannot be put into the provider's words
        case ValueError():
            return refused(error)  # nor into any, such as a sender that is not an address
        case smtplib.SMTPException():
            return outcome_for_smtp_error(error)
        case OSError():
            return (
                unsent(error, pause=DEFAULT_PAUSE) if is_certainly_unsent(error) else unknown(error)
            )
        case _:
            raise error


def outcome_for_api_error(error: AnymailAPIError) -> Outcome:
    """A 4xx answer refuses the whole call, so nothing left; anything else leaves it open."""
    status = http_status_of(error)
    if status is None:
        return unsent(error, pause=DEFAULT_PAUSE) if is_api_connect_error(error) else unknown(error)
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return unknown(error)  # 5xx, or a 2xx whose body made no sense
    if is_message_error(error, status):
        return refused(error)
    return unsent(error, pause=parse_retry_after(error))


def is_message_error(error: AnymailAPIError, status: int) -> bool:
    if isinstance(error.response, dict):
        return error.response.get("Error", {}).get("Code") in SES_MESSAGE_ERROR_CODES
    return status in MESSAGE_ERROR_STATUSES


def http_status_of(error: AnymailAPIError) -> int | None:
    if isinstance(error.response, dict):  # Amazon's
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return error.status_code


def is_api_connect_error(error: AnymailAPIError) -> bool:
    cause = error.__cause__
    if isinstance(cause, requests.ConnectTimeout):
        return True
    if type(cause).__name__ in BOTO_NOT_SENT_ERRORS:
        return True
    reason = getattr(cause.args[0], "reason", None) if cause and cause.args else None
    return isinstance(reason, NewConnectionError)  # name resolution errors are a kind of it


def outcome_for_smtp_error(error: smtplib.SMTPException) -> Outcome:
    match error:
        case smtplib.SMTPRecipientsRefused():
            permanent = all(code >= 500 for code, _ in error.recipients.values())
            return failed(error) if permanent else unsent(error)
        case smtplib.SMTPSenderRefused():
            return unsent(error, pause=DEFAULT_PAUSE)  # our account, our quota: nobody's address
        case smtplib.SMTPResponseException():
            return refused(error) if error.smtp_code >= 500 else unsent(error, pause=DEFAULT_PAUSE)
        case _:
            return unknown(error)  # broken off, perhaps after the message was taken


def is_certainly_unsent(error: OSError) -> bool:
    return isinstance(
        error, ConnectionRefusedError | FileNotFoundError | PermissionError | socket.gaierror
    )


def parse_retry_after(error: AnymailAPIError) -> timedelta:
    """The pause a provider asks for, in seconds or as a date, kept within reason."""
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
    """What went wrong on one line, without anybody's address: it is kept and logged."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).replace("\x00", "")
    return EMAIL_ADDRESS_PATTERN.sub("…", text)[:MAX_ERROR_CHARS]
