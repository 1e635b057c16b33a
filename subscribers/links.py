"""Signed links: made here and read here, each good for one purpose only.

A token names a subscriber by `public_id` and holds nothing else about them. It is signed with a
key of its purpose, derived from SECRET_KEY; tokens of SECRET_KEY_FALLBACKS can still be read.
"""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.signals import setting_changed
from django.core.signing import (
    BadSignature,
    SignatureExpired,
    Signer,
    TimestampSigner,
    b62_encode,
)
from django.dispatch import receiver
from django.urls import reverse

from subscribers.models import Subscriber


class Purpose(StrEnum):
    CONFIRM = "confirm"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"
    RESUBSCRIBE = "resubscribe"


CONFIRM_WITHIN = timedelta(days=3)
# How long a link works. Leaving works for ever. A preferences link is in every digest, so an old
# mail that was passed on need not open anything half a year later.
LIFETIMES = {
    Purpose.CONFIRM: CONFIRM_WITHIN,
    Purpose.PREFERENCES: timedelta(days=180),
    Purpose.UNSUBSCRIBE: None,
    Purpose.RESUBSCRIBE: timedelta(days=1),
}
LONGEST = 200
UUID_BYTES = 16


class BadLink(Exception):
    """Not a token of ours, or not one for this purpose."""


class ExpiredLink(BadLink):
    """It was good once."""


class UsedLink(BadLink):
    """A link to confirm that has been used, or was recalled when its reader left."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber


class ErasedLink(BadLink):
    """Signed by us for somebody of whom nothing is kept."""


class DaySigner(TimestampSigner):
    """Tells the day only, so that a digest that is rendered again is the same to the byte."""

    def timestamp(self) -> str:
        return b62_encode(int(time.time()) // 86400 * 86400)


SIGNERS: dict[Purpose, type[Signer]] = {
    Purpose.CONFIRM: TimestampSigner,
    Purpose.PREFERENCES: DaySigner,
    Purpose.UNSUBSCRIBE: Signer,
    Purpose.RESUBSCRIBE: TimestampSigner,
}


def url(purpose: Purpose, subscriber: Subscriber) -> str:
    """The absolute address of a new link."""
    before, after = frame(purpose)
    return before + token(purpose, subscriber) + after


def token(purpose: Purpose, subscriber: Subscriber) -> str:
    content = subscriber.public_id.bytes
    if purpose == Purpose.CONFIRM:
        content += subscriber.confirmation_nonce.bytes
    return signer(purpose).sign(urlsafe_b64encode(content).decode().rstrip("="))


def read(purpose: Purpose, token: str) -> Subscriber:
    """Whose link it is, if it is one for this purpose and still good."""
    content = opened(purpose, token)
    try:
        subscriber = Subscriber.objects.get(public_id=UUID(bytes=content[:UUID_BYTES]))
    except Subscriber.DoesNotExist:
        raise ErasedLink from None
    if purpose == Purpose.CONFIRM and content[UUID_BYTES:] != subscriber.confirmation_nonce.bytes:
        raise UsedLink(subscriber)
    return subscriber


def opened(purpose: Purpose, token: str) -> bytes:
    """What a token holds, if we signed it and it has not grown too old."""
    if len(token) > LONGEST or not token.isascii():
        raise BadLink
    lifetime = LIFETIMES[purpose]
    try:
        text = signer(purpose).unsign(token, **{"max_age": lifetime} if lifetime else {})
    except SignatureExpired:
        raise ExpiredLink from None
    except BadSignature:
        raise BadLink from None
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


# Made once: a digest has three links, and this would cost more than signing them.
@cache
def signer(purpose: Purpose) -> Signer:
    return SIGNERS[purpose](salt=f"subscribers.links.{purpose}", sep=".")


@cache
def frame(purpose: Purpose) -> tuple[str, str]:
    """What stands before and after the token in an address."""
    before, after = reverse(f"subscribers:{purpose}", args=["TOKEN"]).split("TOKEN")
    return settings.SITE_URL + before, after


@receiver(setting_changed)
def forget_settings(**_: Any) -> None:
    signer.cache_clear()
    frame.cache_clear()
