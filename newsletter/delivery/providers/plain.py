"""One message a call, through whichever Django backend is configured: works with every provider."""

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
    """What the provider answered for the one recipient; without a word of it, it took the message.

    (Anymail says "unknown" too where it could not read why an HTTP error refused a recipient.)
    """
    status: AnymailStatus | None = getattr(message, "anymail_status", None)
    if status is None or not status.status:
        return Outcome(kind=OutcomeKind.HANDED_OVER)
    refused_whole = getattr(status.esp_response, "status_code", HTTPStatus.OK) >= 400
    if status.status <= REFUSED_STATUSES or (status.status <= UNKNOWN_STATUSES and refused_whole):
        return Outcome(
            kind=OutcomeKind.FAILED, error=f"The provider said: {', '.join(status.status)}."
        )
    message_id = status.message_id if isinstance(status.message_id, str) else ""
    return Outcome(kind=OutcomeKind.HANDED_OVER, message_id=message_id)
