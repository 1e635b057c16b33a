"""The mailbox folder: unlike real providers, it can be asked whether it has a message."""

from __future__ import annotations

from newsletter.delivery import mailbox
from newsletter.delivery.providers.plain import Plain


class File(Plain):
    @staticmethod
    def has(message_id: str) -> bool:
        return mailbox.path_of(message_id).is_file()
