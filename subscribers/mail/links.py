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
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.encoding import force_bytes

from subscribers.models import Subscriber


class Purpose(StrEnum):
    CONFIRM = "confirm"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"
    RESUBSCRIBE = "resubscribe"
    FAREWELL = "farewell"
    FEEDBACK = "feedback"


CONFIRM_WITHIN = timedelta(days=3)
# How long a link works. Leaving works for ever. A preferences link is in every digest, so an old
# mail that was passed on need not open anything half a year later.
LIFETIMES = {
    Purpose.CONFIRM: CONFIRM_WITHIN,
    Purpose.PREFERENCES: timedelta(days=180),
    Purpose.UNSUBSCRIBE: None,
    Purpose.RESUBSCRIBE: timedelta(days=1),
    Purpose.FAREWELL: timedelta(days=1),
    Purpose.FEEDBACK: timedelta(days=180),
}
# These work once: they hold the subscriber's nonce, which is renewed by using them.
ONCE = {Purpose.CONFIRM, Purpose.FAREWELL}
LONGEST = 200
UUID_BYTES = 16

# Providers that take mail for us and tell the address of its envelope: Anymail's names.
TAKES_MAIL = {
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
MAILBOX = "unsubscribe+"
# What stands before the @ may have 64 characters: 16 bytes that say who and 12 that prove it.
PROOF_BYTES = 12
MAILBOX_TOKEN = re.compile(rf"<?{re.escape(MAILBOX)}([a-z2-7]{{45}})@[^@]+", re.IGNORECASE)


# Which of them, however old, are enough to be sent a new one.
RENEWABLE = (Purpose.PREFERENCES, Purpose.CONFIRM, Purpose.RESUBSCRIBE, Purpose.FEEDBACK)


class BadLink(Exception):
    """Not a token of ours, or not one for this purpose."""


class ExpiredLink(BadLink):
    """It was good once."""


class UsedLink(BadLink):
    """One that works once and has: a link to confirm is recalled, too, when its reader leaves."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber


class ErasedLink(BadLink):
    """Signed by us for somebody of whom nothing is kept."""


class QuickSigner(Signer):
    """Signs as Django's does, its key derived once: a digest of twenty papers has sixty links."""

    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        mac = keyed(str(self.salt) + "signer", key or self.key, self.algorithm).copy()
        mac.update(force_bytes(value))
        return b64_encode(mac.digest()).decode()


@cache
def keyed(salt: str, key: str | bytes, algorithm: str) -> hmac.HMAC:
    return salted_hmac(salt, "", key, algorithm=algorithm)


class DaySigner(QuickSigner, TimestampSigner):
    """Tells the day only, so that a digest that is rendered again is the same to the byte."""

    def timestamp(self) -> str:
        return b62_encode(int(time.time()) // 86400 * 86400)


SIGNERS: dict[Purpose, type[Signer]] = {
    Purpose.CONFIRM: TimestampSigner,
    Purpose.PREFERENCES: DaySigner,
    Purpose.UNSUBSCRIBE: Signer,
    Purpose.RESUBSCRIBE: TimestampSigner,
    Purpose.FAREWELL: TimestampSigner,
    Purpose.FEEDBACK: DaySigner,
}


def url(purpose: Purpose, subscriber: Subscriber, about: bytes = b"") -> str:
    """The absolute address of a new link."""
    before, after = frame(purpose)
    return before + token(purpose, subscriber, about) + after


def token(purpose: Purpose, subscriber: Subscriber, about: bytes = b"") -> str:
    content = subscriber.public_id.bytes + about
    if purpose in ONCE:
        content += subscriber.confirmation_nonce.bytes
    return signer(purpose).sign(urlsafe_b64encode(content).decode().rstrip("="))


def read(purpose: Purpose, token: str) -> Subscriber:
    """Whose link it is, if it is one for this purpose and still good."""
    subscriber, _ = read_about(purpose, token)
    return subscriber


def read_about(purpose: Purpose, token: str) -> tuple[Subscriber, bytes]:
    """Whose link it is, and what it is about."""
    content = opened(purpose, token)
    subscriber, about = named(content), content[UUID_BYTES:]
    if purpose in ONCE and about != subscriber.confirmation_nonce.bytes:
        raise UsedLink(subscriber)
    return subscriber, about


def named(content: bytes) -> Subscriber:
    try:
        return Subscriber.objects.get(public_id=UUID(bytes=content[:UUID_BYTES]))
    except Subscriber.DoesNotExist:
        raise ErasedLink from None


def renewed(token: str) -> Subscriber:
    """Whom to send a new link in place of this one: it opens nothing itself any more."""
    for purpose in RENEWABLE:
        try:
            return named(opened(purpose, token, however_old=True))
        except ErasedLink:
            raise
        except BadLink:
            continue
    raise BadLink


def opened(purpose: Purpose, token: str, *, however_old: bool = False) -> bytes:
    """What a token holds, if we signed it and it has not grown too old."""
    if len(token) > LONGEST or not token.isascii():
        raise BadLink
    lifetime = None if however_old else LIFETIMES[purpose]
    try:
        text = signer(purpose).unsign(token, **{"max_age": lifetime} if lifetime else {})
    except SignatureExpired:
        raise ExpiredLink from None
    except BadSignature:
        raise BadLink from None
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def mailbox(subscriber: Subscriber) -> str:
    """The address that a mail to unsubscribe goes to; empty where no mail is taken."""
    if not settings.INBOUND_DOMAIN or settings.EMAIL_PROVIDER not in TAKES_MAIL:
        return ""
    name = subscriber.public_id.bytes
    token = b32encode(name + proof(name, settings.SECRET_KEY)).decode().rstrip("=").lower()
    return f"{MAILBOX}{token}@{settings.INBOUND_DOMAIN}"


def read_mailbox(address: str) -> Subscriber:
    """Whose address to unsubscribe it is, if it is one that we made."""
    match = MAILBOX_TOKEN.match(address)
    if not match:
        raise BadLink
    content = b32decode(match[1].upper() + "===")
    name, shown = content[:UUID_BYTES], content[UUID_BYTES:]
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(constant_time_compare(shown, proof(name, key)) for key in keys):
        raise BadLink
    try:
        return Subscriber.objects.get(public_id=UUID(bytes=name))
    except Subscriber.DoesNotExist:
        raise ErasedLink from None


def proof(name: bytes, key: str) -> bytes:
    salt = "subscribers.links.mailbox"
    return salted_hmac(salt, name, secret=key, algorithm="sha256").digest()[:PROOF_BYTES]


# Made once: a digest has many links, and this would cost more than signing them.
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
