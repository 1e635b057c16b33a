"""Verify the signature of Amazon SNS notifications with Amazon's certificate.

Anymail does not verify it, so only a password would protect the suppression list. The algorithm:
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import re
import time
from base64 import b64decode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import requests
from anymail.exceptions import AnymailConfigurationError
from django.conf import settings
from django.core.cache import cache

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
except ImportError:  # needed only with Amazon SES
    x509 = None  # type: ignore[assignment]

# Only Amazon controls these hosts. The URL may contain no user name, port or query.
CERTIFICATE_URL_PATTERN = re.compile(
    r"https://sns\.[a-z]{2,}(-[a-z0-9]+)+\.amazonaws\.com(\.cn)?/[A-Za-z0-9_-]{1,100}\.pem"
)
# The signed fields of each message type, in order; Subject is optional.
SIGNED_FIELDS = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": [
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ],
}  # fmt: skip
SIGNED_FIELDS["UnsubscribeConfirmation"] = SIGNED_FIELDS["SubscriptionConfirmation"]

# Amazon replaces a certificate every few months, under a new URL.
CERTIFICATE_TTL_SECONDS = 24 * 3600
REQUEST_TIMEOUT_SECONDS = (3, 3)
MAX_FETCH_SECONDS = 6
MAX_CERTIFICATE_BYTES = 32 * 1024


class SnsVerificationError(Exception):
    """The message is not from Amazon, or of a topic that is not in SNS_TOPICS."""


class CertificateUnavailableError(Exception):
    """The certificate cannot be fetched at the moment."""


def verify_message(message: Mapping[str, Any]) -> None:
    """Raise SnsVerificationError unless Amazon signed the message and its topic is accepted."""
    topics = settings.SNS_TOPICS
    if topics and message.get("TopicArn") not in topics:
        raise SnsVerificationError("its topic is not in SNS_TOPICS")
    if x509 is None:
        raise AnymailConfigurationError(
            "The package cryptography is not installed: it is needed to verify Amazon's "
            "notifications."
        )
    text, algorithm, signature = (
        build_string_to_sign(message),
        hash_algorithm(message),
        decode_signature(message),
    )
    key = load_public_key(get_certificate(certificate_url(message)))
    try:
        key.verify(signature, text, PKCS1v15(), algorithm)
    except InvalidSignature:
        raise SnsVerificationError("the signature is wrong") from None


def build_string_to_sign(message: Mapping[str, Any]) -> bytes:
    """Return the signed text: the name and the value of each field on lines of their own."""
    message_type = message.get("Type")
    if not isinstance(message_type, str) or message_type not in SIGNED_FIELDS:
        raise SnsVerificationError("unknown message type")
    lines = []
    for name in SIGNED_FIELDS[message_type]:
        value = message.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str):
            raise SnsVerificationError(f"missing field {name}")
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode(errors="replace")


def hash_algorithm(message: Mapping[str, Any]) -> hashes.HashAlgorithm:
    match message.get("SignatureVersion"):
        case "1":
            return hashes.SHA1()  # still Amazon's default
        case "2":
            return hashes.SHA256()
        case _:
            raise SnsVerificationError("unknown signature version")


def decode_signature(message: Mapping[str, Any]) -> bytes:
    try:
        return b64decode(message["Signature"], validate=True)
    except (LookupError, TypeError, ValueError):
        raise SnsVerificationError("missing signature") from None


def certificate_url(message: Mapping[str, Any]) -> str:
    url = message.get("SigningCertURL")
    if not isinstance(url, str) or not CERTIFICATE_URL_PATTERN.fullmatch(url):
        raise SnsVerificationError("the certificate is not from Amazon")
    return url


def get_certificate(url: str) -> bytes:
    """Return the certificate at a URL, fetched at most once a day."""
    name = f"sns:{sha256(url.encode()).hexdigest()}"
    certificate: bytes | None = cache.get(name)
    if certificate is None:
        certificate = fetch_certificate(url)
        load_public_key(certificate)  # raises before an invalid one is cached
        cache.set(name, certificate, CERTIFICATE_TTL_SECONDS)
    return certificate


def load_public_key(pem: bytes) -> RSAPublicKey:
    try:
        key = x509.load_pem_x509_certificate(pem).public_key()
    except ValueError:
        raise CertificateUnavailableError("the certificate cannot be read") from None
    if not isinstance(key, RSAPublicKey):
        raise CertificateUnavailableError("the certificate has another type of key")
    return key


def fetch_certificate(url: str) -> bytes:
    """Fetch a certificate with limits on size and time, without following redirects."""
    deadline = time.monotonic() + MAX_FETCH_SECONDS
    body = b""
    try:
        with requests.get(
            url, timeout=REQUEST_TIMEOUT_SECONDS, stream=True, allow_redirects=False
        ) as response:
            if response.status_code != requests.codes.ok:
                raise CertificateUnavailableError(
                    f"the certificate URL answers {response.status_code}"
                )
            for chunk in response.iter_content(4096):
                body += chunk
                if len(body) > MAX_CERTIFICATE_BYTES or time.monotonic() > deadline:
                    raise CertificateUnavailableError("the certificate is too large or too slow")
    except requests.RequestException as error:
        raise CertificateUnavailableError(
            f"the certificate cannot be fetched: {type(error).__name__}"
        ) from error
    return body
