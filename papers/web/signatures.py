"""Short signatures for tokens that must stay short: HMAC-SHA256, truncated to 12 bytes.

Sign with SECRET_KEY; accept SECRET_KEY_FALLBACKS too, so that tokens in old mails outlive a change
of the key. Where length does not matter, use Django's Signer.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

# 96 bits: out of reach for guessing over HTTP.
SHORT_SIGNATURE_BYTES = 12


def secret_keys() -> list[str]:
    """Return the current key, then the keys that it replaced."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def short_signature(salt: str, value: str | bytes, *, key: str | None = None) -> bytes:
    """Return the signature of a value, by the current key unless another is given."""
    mac = salted_hmac(salt, value, secret=key, algorithm="sha256")
    return mac.digest()[:SHORT_SIGNATURE_BYTES]


def verify_short_signature(
    salt: str,
    value: str | bytes,
    signature: str | bytes,
    *,
    encode: Callable[[bytes], str | bytes] = bytes,
) -> bool:
    """Return whether a signature was made by one of our keys.

    A signature in text form is compared as text, through `encode`. Do not decode it first: lenient
    decoders accept several spellings of one signature.
    """
    return any(
        constant_time_compare(signature, encode(short_signature(salt, value, key=key)))
        for key in secret_keys()
    )
