"""The mailbox folder as a provider, which can look up whether it has a message."""

from __future__ import annotations

from newsletter.delivery import mailbox
from newsletter.delivery.providers.plain import SingleMessageProvider


class FileProvider(SingleMessageProvider):
    @staticmethod
    def has(message_id: str) -> bool:
        return mailbox.message_path(message_id).is_file()
