"""How messages reach the provider: the plain way through Anymail, one message a call.

A provider whose raw API takes batches of different messages gets a small module of its own here,
in the shape of `Provider`, and a line in `PROVIDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from newsletter.delivery.providers.file import FileProvider
from newsletter.delivery.providers.plain import SingleMessageProvider
from subscribers.mail.outcomes import Outcome


class Provider(Protocol):
    """One open line to a provider."""

    # How many messages go into one call.
    messages_per_call: int

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def send(
        self, messages: Sequence[EmailMultiAlternatives], *, idempotency_key: UUID
    ) -> list[Outcome]:
        """Hand over one group; an outcome for each message, in order. Raises nothing foreseen.

        `key` is the batch's id: the same for a repeat of the same call.
        """


PROVIDERS: dict[str, Callable[[], Provider]] = {"file": FileProvider}
# Those that can be asked whether they have a message.
SENT_LOOKUPS: dict[str, Callable[[str], bool]] = {"file": FileProvider.has}


def get_provider() -> Provider:
    """The provider that EMAIL_PROVIDER names."""
    return PROVIDERS.get(settings.EMAIL_PROVIDER, SingleMessageProvider)()


def was_sent(message_id: str) -> bool | None:
    """Whether a message of unknown outcome was sent; None where this cannot be told."""
    witness = SENT_LOOKUPS.get(settings.EMAIL_PROVIDER)
    return witness(message_id) if witness else None
