"""Send one message a call through the configured Django backend; works with every provider."""

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
    """Return the outcome for the one recipient, from the status that Anymail has set.

    Without a status the message was accepted. Anymail also reports "unknown" when it cannot read why
    an HTTP error refused the recipient, so an error status of the response counts as refused.
    """
    status: AnymailStatus | None = getattr(message, "anymail_status", None)
    if status is None or not status.status:
        return Outcome(kind=OutcomeKind.HANDED_OVER)
    refused_whole = getattr(status.esp_response, "status_code", HTTPStatus.OK) >= 400
    if status.status <= REFUSED_STATUSES or (status.status <= UNKNOWN_STATUSES and refused_whole):
        return Outcome(
            kind=OutcomeKind.FAILED, error=f"The provider answered: {', '.join(status.status)}."
        )
    message_id = status.message_id if isinstance(status.message_id, str) else ""
    return Outcome(kind=OutcomeKind.HANDED_OVER, message_id=message_id)
