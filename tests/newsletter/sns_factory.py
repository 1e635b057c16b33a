"""Notifications of Amazon SNS, signed with a key and a certificate of our own."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID
from django.core.cache import cache as django_cache

from newsletter.events import sns
from tests import factories

CERTIFICATE_URL = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
)
TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:reports"


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate() -> bytes:
    key = private_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(factories.NOW - timedelta(days=30))
        .not_valid_after(factories.NOW + timedelta(days=365))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def cache_certificate(url: str = CERTIFICATE_URL) -> None:
    """Cache our certificate, as if it had been fetched from Amazon."""
    django_cache.set(f"sns:{sha256(url.encode()).hexdigest()}", certificate(), 3600)


def sign_message(
    message: dict[str, Any], *, version: str = "1", url: str = CERTIFICATE_URL
) -> dict[str, Any]:
    """Return a message with the required fields and its signature."""
    complete = {
        "MessageId": "1",
        "Message": "",
        "Timestamp": "2026-05-12T05:00:00.000Z",
        "TopicArn": TOPIC_ARN,
    } | message
    if complete["Type"] != "Notification":
        subscribe_url = "https://sns.eu-west-1.amazonaws.com/"
        complete = {"Token": "token", "SubscribeURL": subscribe_url} | complete
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = private_key().sign(sns.build_string_to_sign(complete), PKCS1v15(), algorithm)
    return complete | {
        "SignatureVersion": version,
        "SigningCertURL": url,
        "Signature": b64encode(signature).decode(),
    }


def sign_body(body: bytes) -> bytes:
    """Return a body with its signature, or unchanged if it is not a message that can be signed."""
    try:
        return json.dumps(sign_message(json.loads(body))).encode()
    except (ValueError, TypeError, LookupError, RecursionError, sns.SnsVerificationError):
        return body
