"""The mailbox folder as a provider: it can be asked whether it has a message."""

from __future__ import annotations

from newsletter.delivery import mailbox
from newsletter.delivery.providers.plain import SingleMessageProvider


class FileProvider(SingleMessageProvider):
    """Writes messages to MAILBOX_DIR through Django's configured backend."""

    @staticmethod
    def has(message_id: str) -> bool:
        return mailbox.message_path(message_id).is_file()
