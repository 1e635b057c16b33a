"""Whether Amazon really sent a notification: its signature, by Amazon's own certificate.

Anymail does not look, so that a password would be all that stands between a stranger and the
suppression list. How it is signed:
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
except ImportError:  # only who sends through Amazon needs it
    x509 = None  # type: ignore[assignment]

# Whoever may write to these hosts is Amazon. Nothing else may stand in the address: no name, no
# port, no query.
CERTIFICATE_URL_PATTERN = re.compile(
    r"https://sns\.[a-z]{2,}(-[a-z0-9]+)+\.amazonaws\.com(\.cn)?/[A-Za-z0-9_-]{1,100}\.pem"
)
# What is signed of each kind of message, in this order; a Notification may have no Subject.
SIGNED_FIELDS = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": [
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ],
}  # fmt: skip
SIGNED_FIELDS["UnsubscribeConfirmation"] = SIGNED_FIELDS["SubscriptionConfirmation"]

# Amazon changes a certificate every few months, and then its address with it.
CERTIFICATE_TTL_SECONDS = 24 * 3600
REQUEST_TIMEOUT_SECONDS = (3, 3)
MAX_FETCH_SECONDS = 6
MAX_CERTIFICATE_BYTES = 32 * 1024


class SnsVerificationError(Exception):
    """Why the message is not Amazon's, or not of a topic of ours."""


class CertificateUnavailableError(Exception):
    """Amazon does not give its certificate now."""


def verify_message(message: Mapping[str, Any]) -> None:
    """Do nothing if it is signed by Amazon and of a topic of ours; else raise."""
    topics = settings.SNS_TOPICS
    if topics and message.get("TopicArn") not in topics:
        raise SnsVerificationError("of a topic that SNS_TOPICS does not name")
    if x509 is None:
        raise AnymailConfigurationError(
            "The package cryptography is not installed, and without it nobody can tell whether "
            "Amazon sent a notification."
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
    """The text that was signed: each field's name and value on a line of its own."""
    kind = message.get("Type")
    if not isinstance(kind, str) or kind not in SIGNED_FIELDS:
        raise SnsVerificationError("a kind of message that is not known")
    lines = []
    for name in SIGNED_FIELDS[kind]:
        value = message.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str):
            raise SnsVerificationError(f"without its {name}")
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode(errors="replace")


def hash_algorithm(message: Mapping[str, Any]) -> hashes.HashAlgorithm:
    match message.get("SignatureVersion"):
        case "1":
            return hashes.SHA1()  # Amazon's choice, and its default still
        case "2":
            return hashes.SHA256()
        case _:
            raise SnsVerificationError("a version of signature that is not known")


def decode_signature(message: Mapping[str, Any]) -> bytes:
    try:
        return b64decode(message["Signature"], validate=True)
    except (LookupError, TypeError, ValueError):
        raise SnsVerificationError("without a signature") from None


def certificate_url(message: Mapping[str, Any]) -> str:
    url = message.get("SigningCertURL")
    if not isinstance(url, str) or not CERTIFICATE_URL_PATTERN.fullmatch(url):
        raise SnsVerificationError("its certificate is not Amazon's")
    return url


def get_certificate(url: str) -> bytes:
    """Amazon's certificate, fetched once a day."""
    name = f"sns:{sha256(url.encode()).hexdigest()}"
    found: bytes | None = cache.get(name)
    if found is None:
        found = fetch_certificate(url)
        load_public_key(found)  # what is not a certificate is not remembered
        cache.set(name, found, CERTIFICATE_TTL_SECONDS)
    return found


def load_public_key(pem: bytes) -> RSAPublicKey:
    try:
        key = x509.load_pem_x509_certificate(pem).public_key()
    except ValueError:
        raise CertificateUnavailableError("the certificate cannot be read") from None
    if not isinstance(key, RSAPublicKey):
        raise CertificateUnavailableError("the certificate holds another kind of key")
    return key


def fetch_certificate(url: str) -> bytes:
    """A few kilobytes within a few seconds, from nowhere else."""
    deadline = time.monotonic() + MAX_FETCH_SECONDS
    body = b""
    try:
        with requests.get(
            url, timeout=REQUEST_TIMEOUT_SECONDS, stream=True, allow_redirects=False
        ) as response:
            if response.status_code != requests.codes.ok:
                raise CertificateUnavailableError(
                    f"the certificate's address answers {response.status_code}"
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
