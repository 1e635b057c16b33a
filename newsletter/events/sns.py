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
CERTIFICATE_URL = re.compile(
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
REMEMBER = 24 * 3600
TIMEOUT = (3, 3)
LONGEST_WAIT = 6
LARGEST = 32 * 1024


class Forged(Exception):
    """Why the message is not Amazon's, or not of a topic of ours."""


class Unavailable(Exception):
    """Amazon does not give its certificate now."""


def verify(message: Mapping[str, Any]) -> None:
    """Do nothing if it is signed by Amazon and of a topic of ours; else raise."""
    topics = settings.SNS_TOPICS
    if topics and message.get("TopicArn") not in topics:
        raise Forged("of a topic that SNS_TOPICS does not name")
    if x509 is None:
        raise AnymailConfigurationError(
            "The package cryptography is not installed, and without it nobody can tell whether "
            "Amazon sent a notification."
        )
    text, algorithm, signature = canonical(message), algorithm_of(message), signature_of(message)
    key = public_key(certificate(url_of(message)))
    try:
        key.verify(signature, text, PKCS1v15(), algorithm)
    except InvalidSignature:
        raise Forged("the signature is wrong") from None


def canonical(message: Mapping[str, Any]) -> bytes:
    """The text that was signed: each field's name and value on a line of its own."""
    kind = message.get("Type")
    if not isinstance(kind, str) or kind not in SIGNED_FIELDS:
        raise Forged("a kind of message that is not known")
    lines = []
    for name in SIGNED_FIELDS[kind]:
        value = message.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str):
            raise Forged(f"without its {name}")
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode(errors="replace")


def algorithm_of(message: Mapping[str, Any]) -> hashes.HashAlgorithm:
    match message.get("SignatureVersion"):
        case "1":
            return hashes.SHA1()  # Amazon's choice, and its default still
        case "2":
            return hashes.SHA256()
        case _:
            raise Forged("a version of signature that is not known")


def signature_of(message: Mapping[str, Any]) -> bytes:
    try:
        return b64decode(message["Signature"], validate=True)
    except (LookupError, TypeError, ValueError):
        raise Forged("without a signature") from None


def url_of(message: Mapping[str, Any]) -> str:
    url = message.get("SigningCertURL")
    if not isinstance(url, str) or not CERTIFICATE_URL.fullmatch(url):
        raise Forged("its certificate is not Amazon's")
    return url


def certificate(url: str) -> bytes:
    """Amazon's certificate, fetched once a day."""
    name = f"sns:{sha256(url.encode()).hexdigest()}"
    found: bytes | None = cache.get(name)
    if found is None:
        found = fetch(url)
        public_key(found)  # what is not a certificate is not remembered
        cache.set(name, found, REMEMBER)
    return found


def public_key(pem: bytes) -> RSAPublicKey:
    try:
        key = x509.load_pem_x509_certificate(pem).public_key()
    except ValueError:
        raise Unavailable("the certificate cannot be read") from None
    if not isinstance(key, RSAPublicKey):
        raise Unavailable("the certificate holds another kind of key")
    return key


def fetch(url: str) -> bytes:
    """A few kilobytes within a few seconds, from nowhere else."""
    deadline = time.monotonic() + LONGEST_WAIT
    body = b""
    try:
        with requests.get(url, timeout=TIMEOUT, stream=True, allow_redirects=False) as response:
            if response.status_code != requests.codes.ok:
                raise Unavailable(f"the certificate's address answers {response.status_code}")
            for chunk in response.iter_content(4096):
                body += chunk
                if len(body) > LARGEST or time.monotonic() > deadline:
                    raise Unavailable("the certificate is too large or too slow")
    except requests.RequestException as error:
        raise Unavailable(f"the certificate cannot be fetched: {type(error).__name__}") from error
    return body
