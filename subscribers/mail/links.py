"""Signed links in mails, each valid for one purpose only.

A token contains the subscriber's `public_id` and an optional payload, nothing else about them. It
is signed with a key that is derived from SECRET_KEY and the purpose; tokens signed with one of
SECRET_KEY_FALLBACKS stay valid. Mails that were sent contain such tokens: never change a salt, a
separator or the encoding.

An unsubscribe address (for the mailto: in List-Unsubscribe) has a token of Base32, which ignores
case, because some mail servers change the case of an address.
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
# None means that a link never expires. Preferences links do, because every digest contains one and
# old mails get forwarded.
LINK_LIFETIMES = {
    Purpose.CONFIRM: CONFIRM_LINK_LIFETIME,
    Purpose.PREFERENCES: timedelta(days=180),
    Purpose.UNSUBSCRIBE: None,
    Purpose.RESUBSCRIBE: timedelta(days=1),
    Purpose.EXIT_SURVEY: timedelta(days=1),
    Purpose.FEEDBACK: timedelta(days=180),
}
# These tokens contain the subscriber's nonce, which changes when the link is used.
SINGLE_USE = {Purpose.CONFIRM, Purpose.EXIT_SURVEY}
MAX_TOKEN_CHARS = 200
UUID_BYTES = 16

# Providers (by Anymail's names) that receive mail for us and report its envelope recipient.
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

# With an expired link of these purposes, its owner can request a new one by mail.
RENEWABLE_PURPOSES = (Purpose.PREFERENCES, Purpose.CONFIRM, Purpose.RESUBSCRIBE, Purpose.FEEDBACK)


class InvalidLinkError(Exception):
    """Not a token of ours, or one for another purpose."""


class ExpiredLinkError(InvalidLinkError):
    """A valid token that is too old, or that no longer allows what it was made for."""


class UsedLinkError(InvalidLinkError):
    """A single-use token that was used, or that was invalidated when its reader left."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber


class UnknownSubscriberError(InvalidLinkError):
    """A valid token of a subscriber who was erased."""


class CachedKeySigner(Signer):
    """Django's Signer with the derived key cached; the signatures are identical.

    A digest of twenty papers has sixty links, and deriving a key costs more than signing.
    """

    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        mac = cached_hmac(str(self.salt) + "signer", key or self.key, self.algorithm).copy()
        mac.update(force_bytes(value))
        return b64_encode(mac.digest()).decode()


@cache
def cached_hmac(salt: str, key: str | bytes, algorithm: str) -> hmac.HMAC:
    return salted_hmac(salt, "", key, algorithm=algorithm)


class DayTimestampSigner(CachedKeySigner, TimestampSigner):
    """A TimestampSigner with day precision, so that rendering a digest again is byte-identical."""

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
    """Return the absolute URL of a new link."""
    before, after = url_parts(purpose)
    return before + signed_token(purpose, subscriber, payload) + after


def signed_token(purpose: Purpose, subscriber: Subscriber, payload: bytes = b"") -> str:
    content = subscriber.public_id.bytes + payload
    if purpose in SINGLE_USE:
        content += subscriber.confirmation_nonce.bytes
    return signer(purpose).sign(urlsafe_b64encode(content).decode().rstrip("="))


def read_token(purpose: Purpose, token: str) -> Subscriber:
    """Return the subscriber of a valid token; raise InvalidLinkError or a subclass otherwise."""
    subscriber, _ = read_token_with_payload(purpose, token)
    return subscriber


def read_token_with_payload(purpose: Purpose, token: str) -> tuple[Subscriber, bytes]:
    """Return the subscriber and the payload of a valid token; raise like read_token."""
    content = unsign_token(purpose, token)
    subscriber, payload = subscriber_for(content), content[UUID_BYTES:]
    if purpose in SINGLE_USE and payload != subscriber.confirmation_nonce.bytes:
        raise UsedLinkError(subscriber)
    return subscriber, payload


def subscriber_for(content: bytes) -> Subscriber:
    try:
        return Subscriber.objects.get(public_id=UUID(bytes=content[:UUID_BYTES]))
    except Subscriber.DoesNotExist:
        raise UnknownSubscriberError from None


def subscriber_for_renewal(token: str) -> Subscriber:
    """Return the subscriber to mail a new link to, in exchange for a token of any age."""
    for purpose in RENEWABLE_PURPOSES:
        try:
            return subscriber_for(unsign_token(purpose, token, ignore_age=True))
        except UnknownSubscriberError:
            raise
        except InvalidLinkError:
            continue
    raise InvalidLinkError


def unsign_token(purpose: Purpose, token: str, *, ignore_age: bool = False) -> bytes:
    """Return a token's content; raise InvalidLinkError, or ExpiredLinkError for an old one.

    Refuse hostile input before computing a signature, and without a query.
    """
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
    """Return the address that unsubscribes by mail; empty if we receive no mail."""
    if not settings.INBOUND_DOMAIN or settings.EMAIL_PROVIDER not in INBOUND_PROVIDERS:
        return ""
    public_id = subscriber.public_id.bytes
    signature = signatures.short_signature(UNSUBSCRIBE_ADDRESS_SALT, public_id)
    token = b32encode(public_id + signature).decode().rstrip("=").lower()
    return f"{UNSUBSCRIBE_LOCAL_PREFIX}{token}@{settings.INBOUND_DOMAIN}"


def read_unsubscribe_address(address: str) -> Subscriber:
    """Return the subscriber of an unsubscribe address; raise InvalidLinkError for any other."""
    match = UNSUBSCRIBE_ADDRESS_PATTERN.match(address)
    if not match:
        raise InvalidLinkError
    content = b32decode(match[1].upper() + "===")
    public_id, signature = content[:UUID_BYTES], content[UUID_BYTES:]
    if not signatures.verify_short_signature(UNSUBSCRIBE_ADDRESS_SALT, public_id, signature):
        raise InvalidLinkError
    return subscriber_for(public_id)


# Cached, because creating a signer costs more than signing.
@cache
def signer(purpose: Purpose) -> Signer:
    return SIGNERS[purpose](salt=f"subscribers.links.{purpose}", sep=".")


@cache
def url_parts(purpose: Purpose) -> tuple[str, str]:
    """Return the parts of a link's URL before and after the token."""
    before, after = reverse(f"subscribers:{purpose}", args=["TOKEN"]).split("TOKEN")
    return settings.SITE_URL + before, after


@receiver(setting_changed)
def clear_caches(**_: Any) -> None:
    signer.cache_clear()
    url_parts.cache_clear()
