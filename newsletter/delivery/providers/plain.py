"""One message per call through the configured Django backend; works with every provider."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Self
from uuid import UUID

from anymail.message import AnymailStatus
from django.core.mail import EmailMultiAlternatives, get_connection

from subscribers.mail import outcomes
from subscribers.mail.outcomes import Outcome, OutcomeKind

REFUSED_STATUSES = {"rejected", "invalid", "failed"}
UNKNOWN_STATUSES = {"unknown"}


class SingleMessageProvider:
    """A provider behind EMAIL_BACKEND: SMTP, one of Anymail's, or the mailbox folder."""

    messages_per_call = 1

    def __init__(self) -> None:
        self.connection = get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.connection.close()

    def send(
        self, messages: Sequence[EmailMultiAlternatives], *, idempotency_key: UUID
    ) -> list[Outcome]:
        return [self.send_one(message) for message in messages]

    def send_one(self, message: EmailMultiAlternatives) -> Outcome:
        try:
            self.connection.open()
        except Exception as error:
            return outcomes.unsent(error, pause=outcomes.DEFAULT_PAUSE)
        try:
            self.connection.send_messages([message])
        except Exception as error:
            return outcomes.outcome_for_error(error)
        return outcome_from_status(message)


def outcome_from_status(message: EmailMultiAlternatives) -> Outcome:
    """Return the outcome for the one recipient; a backend without a status accepted the message.

    An "unknown" status after an HTTP error is a refusal: Anymail could not parse its reason.
    """
    status: AnymailStatus | None = getattr(message, "anymail_status", None)
    if status is None or not status.status:
        return Outcome(kind=OutcomeKind.HANDED_OVER)
    is_http_error = getattr(status.esp_response, "status_code", HTTPStatus.OK) >= 400
    if status.status <= REFUSED_STATUSES or (status.status <= UNKNOWN_STATUSES and is_http_error):
        return Outcome(
            kind=OutcomeKind.FAILED, error=f"The provider answered: {', '.join(status.status)}."
        )
    message_id = status.message_id if isinstance(status.message_id, str) else ""
    return Outcome(kind=OutcomeKind.HANDED_OVER, message_id=message_id)
