"""Email providers: Django's configured backend, one message per call, unless PROVIDERS names another.

To send batches of different messages through a provider's own API, add a module here with a class
that implements `Provider`, and register it in PROVIDERS.
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
    """A connection to an email provider; a context manager that closes it."""

    # The largest group that `send` takes.
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
        """Send a group of messages; return an outcome for each, in order.

        Return every foreseen error as an outcome. Raise only what nobody foresaw: it ends the
        worker, and the group is recovered like that of a worker that died.

        `idempotency_key` is the batch's id. It is not unique to a call: a batch has many groups.
        """


PROVIDERS: dict[str, Callable[[], Provider]] = {"file": FileProvider}
# Providers that can be asked whether they have a message, by its Message-ID.
SENT_LOOKUPS: dict[str, Callable[[str], bool]] = {"file": FileProvider.has}


def get_provider() -> Provider:
    """Return a connection to the provider that EMAIL_PROVIDER names."""
    return PROVIDERS.get(settings.EMAIL_PROVIDER, SingleMessageProvider)()


def was_sent(message_id: str) -> bool | None:
    """Return whether the provider has a message, or None if it cannot be asked."""
    lookup = SENT_LOOKUPS.get(settings.EMAIL_PROVIDER)
    return lookup(message_id) if lookup else None
