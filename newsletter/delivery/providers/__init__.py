"""Hand messages to the configured provider.

The default sends one message a call through Anymail. A provider whose API takes batches of different
messages gets a module here that implements `Provider`, and a line in `PROVIDERS`.
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
    """A connection to a provider."""

    # How many messages one call takes.
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
        """Send one group, and return an outcome for each message in order.

        Return errors as outcomes rather than raise them. `idempotency_key` is the batch's id, the same
        when the same call is repeated.
        """


PROVIDERS: dict[str, Callable[[], Provider]] = {"file": FileProvider}
# Providers that can look up whether they have a message.
SENT_LOOKUPS: dict[str, Callable[[str], bool]] = {"file": FileProvider.has}


def get_provider() -> Provider:
    """Return the provider that EMAIL_PROVIDER names."""
    return PROVIDERS.get(settings.EMAIL_PROVIDER, SingleMessageProvider)()


def was_sent(message_id: str) -> bool | None:
    """Return whether a message was sent; None if the provider cannot look it up."""
    lookup = SENT_LOOKUPS.get(settings.EMAIL_PROVIDER)
    return lookup(message_id) if lookup else None
