"""Signed links: made here and read here, each good for one purpose only.

A token names a subscriber by `public_id`, may say what it is about, and holds nothing else about
them. It is signed with a key of its purpose, derived from SECRET_KEY; tokens of
SECRET_KEY_FALLBACKS can still be read.

To leave there is an address for mail, too. Its token is of letters and digits only and may be
lower or upper case, for some mail servers change that.
"""

from __future__ import annotations

import hmac
import re
import time
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
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
    b64_encode,
)
from django.dispatch import receiver
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes

from papers.web import signatures
from subscribers.models import Subscriber


class Purpose(StrEnum):
    CONFIRM = "confirm"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"
    RESUBSCRIBE = "resubscribe"
    EXIT_SURVEY = "farewell"
    FEEDBACK = "feedback"


CONFIRM_LINK_LIFETIME = timedelta(days=3)
# How long a link works. Leaving works for ever. A preferences link is in every digest, so an old
# mail that was passed on need not open anything half a year later.
LINK_LIFETIMES = {
    Purpose.CONFIRM: CONFIRM_LINK_LIFETIME,
    Purpose.PREFERENCES: timedelta(days=180),
    Purpose.UNSUBSCRIBE: None,
    Purpose.RESUBSCRIBE: timedelta(days=1),
    Purpose.EXIT_SURVEY: timedelta(days=1),
    Purpose.FEEDBACK: timedelta(days=180),
}
# These work once: they hold the subscriber's nonce, which is renewed by using them.
SINGLE_USE = {Purpose.CONFIRM, Purpose.EXIT_SURVEY}
MAX_TOKEN_CHARS = 200
UUID_BYTES = 16

# Providers that take mail for us and tell the address of its envelope: Anymail's names.
INBOUND_PROVIDERS = {
    "amazon_ses",
    "brevo",
    "mailersend",
    "mailgun",
    "mailjet",
    "mandrill",
    "postal",
    "postmark",
    "resend",
    "sendgrid",
    "sparkpost",
}
UNSUBSCRIBE_LOCAL_PREFIX = "unsubscribe+"
UNSUBSCRIBE_ADDRESS_SALT = "subscribers.links.mailbox"
# At most 64 characters may precede the @: 16 bytes of public_id and a short signature, in Base32.
UNSUBSCRIBE_ADDRESS_PATTERN = re.compile(
    rf"<?{re.escape(UNSUBSCRIBE_LOCAL_PREFIX)}([a-z2-7]{{45}})@[^@]+", re.IGNORECASE
)


# Which of them, however old, are enough to be sent a new one.
RENEWABLE_PURPOSES = (Purpose.PREFERENCES, Purpose.CONFIRM, Purpose.RESUBSCRIBE, Purpose.FEEDBACK)


class InvalidLinkError(Exception):
    """Not a token of ours, or not one for this purpose."""


class ExpiredLinkError(InvalidLinkError):
    """It was good once."""


class UsedLinkError(InvalidLinkError):
    """One that works once and has: a link to confirm is recalled, too, when its reader leaves."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber


class UnknownSubscriberError(InvalidLinkError):
    """Signed by us for somebody of whom nothing is kept."""


class CachedKeySigner(Signer):
    """Signs as Django's does, its key derived once: a digest of twenty papers has sixty links."""

    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        mac = cached_hmac(str(self.salt) + "signer", key or self.key, self.algorithm).copy()
        mac.update(force_bytes(value))
        return b64_encode(mac.digest()).decode()


@cache
def cached_hmac(salt: str, key: str | bytes, algorithm: str) -> hmac.HMAC:
    return salted_hmac(salt, "", key, algorithm=algorithm)


class DayTimestampSigner(CachedKeySigner, TimestampSigner):
    """Tells the day only, so that a digest that is rendered again is the same to the byte."""

    def timestamp(self) -> str:
        return b62_encode(int(time.time()) // 86400 * 86400)


SIGNERS: dict[Purpose, type[Signer]] = {
    Purpose.CONFIRM: TimestampSigner,
    Purpose.PREFERENCES: DayTimestampSigner,
    Purpose.UNSUBSCRIBE: Signer,
    Purpose.RESUBSCRIBE: TimestampSigner,
    Purpose.EXIT_SURVEY: TimestampSigner,
    Purpose.FEEDBACK: DayTimestampSigner,
}


def signed_url(purpose: Purpose, subscriber: Subscriber, payload: bytes = b"") -> str:
    """The absolute address of a new link."""
    before, after = url_parts(purpose)
    return before + signed_token(purpose, subscriber, payload) + after


def signed_token(purpose: Purpose, subscriber: Subscriber, payload: bytes = b"") -> str:
    content = subscriber.public_id.bytes + payload
    if purpose in SINGLE_USE:
        content += subscriber.confirmation_nonce.bytes
    return signer(purpose).sign(urlsafe_b64encode(content).decode().rstrip("="))


def read_token(purpose: Purpose, token: str) -> Subscriber:
    """Whose link it is, if it is one for this purpose and still good."""
    subscriber, _ = read_token_with_payload(purpose, token)
    return subscriber


def read_token_with_payload(purpose: Purpose, token: str) -> tuple[Subscriber, bytes]:
    """Whose link it is, and what it is about."""
    content = unsign_token(purpose, token)
    subscriber, about = subscriber_for(content), content[UUID_BYTES:]
    if purpose in SINGLE_USE and about != subscriber.confirmation_nonce.bytes:
        raise UsedLinkError(subscriber)
    return subscriber, about


def subscriber_for(content: bytes) -> Subscriber:
    try:
        return Subscriber.objects.get(public_id=UUID(bytes=content[:UUID_BYTES]))
    except Subscriber.DoesNotExist:
        raise UnknownSubscriberError from None


def subscriber_for_renewal(token: str) -> Subscriber:
    """Whom to send a new link in place of this one: it opens nothing itself any more."""
    for purpose in RENEWABLE_PURPOSES:
        try:
            return subscriber_for(unsign_token(purpose, token, ignore_age=True))
        except UnknownSubscriberError:
            raise
        except InvalidLinkError:
            continue
    raise InvalidLinkError


def unsign_token(purpose: Purpose, token: str, *, ignore_age: bool = False) -> bytes:
    """What a token holds, if we signed it and it has not grown too old."""
    if len(token) > MAX_TOKEN_CHARS or not token.isascii():
        raise InvalidLinkError
    lifetime = None if ignore_age else LINK_LIFETIMES[purpose]
    try:
        text = signer(purpose).unsign(token, **{"max_age": lifetime} if lifetime else {})
    except SignatureExpired:
        raise ExpiredLinkError from None
    except BadSignature:
        raise InvalidLinkError from None
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def unsubscribe_address(subscriber: Subscriber) -> str:
    """The address that a mail to unsubscribe goes to; empty where no mail is taken."""
    if not settings.INBOUND_DOMAIN or settings.EMAIL_PROVIDER not in INBOUND_PROVIDERS:
        return ""
    public_id = subscriber.public_id.bytes
    signature = signatures.short_signature(UNSUBSCRIBE_ADDRESS_SALT, public_id)
    token = b32encode(public_id + signature).decode().rstrip("=").lower()
    return f"{UNSUBSCRIBE_LOCAL_PREFIX}{token}@{settings.INBOUND_DOMAIN}"


def read_unsubscribe_address(address: str) -> Subscriber:
    """Whose address to unsubscribe it is, if it is one that we made."""
    match = UNSUBSCRIBE_ADDRESS_PATTERN.match(address)
    if not match:
        raise InvalidLinkError
    content = b32decode(match[1].upper() + "===")
    public_id, signature = content[:UUID_BYTES], content[UUID_BYTES:]
    if not signatures.verify_short_signature(UNSUBSCRIBE_ADDRESS_SALT, public_id, signature):
        raise InvalidLinkError
    return subscriber_for(public_id)


# Made once: a digest has many links, and this would cost more than signing them.
@cache
def signer(purpose: Purpose) -> Signer:
    return SIGNERS[purpose](salt=f"subscribers.links.{purpose}", sep=".")


@cache
def url_parts(purpose: Purpose) -> tuple[str, str]:
    """What stands before and after the token in an address."""
    before, after = reverse(f"subscribers:{purpose}", args=["TOKEN"]).split("TOKEN")
    return settings.SITE_URL + before, after


@receiver(setting_changed)
def clear_caches(**_: Any) -> None:
    signer.cache_clear()
    url_parts.cache_clear()
