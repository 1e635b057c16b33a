"""Incoming mail as providers pass it on to our webhooks: samples, keys and signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from django.http import QueryDict

from tests.newsletter import sns_factory
from tests.newsletter.webhook_requests import BASIC_AUTH

POSTAL_KEY = "".join(
    sns_factory.private_key()
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
    .splitlines()[1:-1]
)
ANYMAIL_SETTINGS = {
    "WEBHOOK_SECRET": "username:password",
    "BREVO_API_KEY": "key",
    "RESEND_API_KEY": "key",
    "MAILERSEND_INBOUND_SECRET": "secret",
    "MAILGUN_WEBHOOK_SIGNING_KEY": "secret",
    "MANDRILL_WEBHOOK_KEY": "secret",
    "POSTAL_WEBHOOK_KEY": POSTAL_KEY,
}
FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"


def raw_mail(to: str) -> str:
    return f"From: ada@example.org\r\nTo: {to}\r\nSubject: unsubscribe\r\n\r\nSECRET WORDS\r\n"


def json_requests(to: str) -> dict[str, Any]:
    """Return a mail to an address as the providers that send JSON document it."""
    ses_event = {
        "notificationType": "Received",
        "mail": {"source": "ada@example.org", "messageId": "1"},
        "receipt": {"recipients": [to], "action": {"type": "SNS", "encoding": "UTF-8"}},
        "content": raw_mail(to),
    }
    attachment = {"DownloadToken": "t", "Name": "a.txt", "ContentType": "text/plain"}
    headers = {"Delivered-To": to, "From": "ada@example.org"}
    content = {"email_rfc822": raw_mail(to), "email_rfc822_is_base64": False}
    return {
        "amazon_ses": sns_factory.sign_message(
            {"Type": "Notification", "Message": json.dumps(ses_event)}
        ),
        "brevo": {"items": [{"Uuid": ["1"], "Headers": headers, "Attachments": [attachment]}]},
        "mailersend": {
            "type": "inbound.message",
            "data": {"raw": raw_mail(to), "recipients": {"rcptTo": [{"email": to}]}, "id": "1"},
        },
        "mailjet": {"Recipient": to, "Headers": {"From": "ada@example.org"}, "Text-part": "x"},
        "postal": {"rcpt_to": to, "mail_from": "ada@example.org", "message": raw_mail(to)},
        "postmark": {"OriginalRecipient": to, "FromFull": {"Email": "ada@example.org"}},
        "resend": {
            "type": "email.received",
            "created_at": "2026-05-12T06:00:00Z",
            "data": {"email_id": "1", "to": ["other@in.example.org", to]},
        },
        "sparkpost": [
            {"msys": {"relay_message": {"protocol": "smtp", "rcpt_to": to, "content": content}}}
        ],
    }


def form_requests(to: str) -> dict[str, dict[str, str]]:
    """Return a mail to an address as the providers that send a form document it."""
    event = {"event": "inbound", "ts": 1, "msg": {"email": to, "raw_msg": raw_mail(to)}}
    envelope = {"from": "ada@example.org", "to": [to]}
    return {
        "mailgun": {
            "recipient": to,
            "body-mime": raw_mail(to),
            "timestamp": "1",
            "token": "t",
            "signature": hmac_digest(b"1t", "sha256").hex(),
        },
        "mandrill": {"mandrill_events": json.dumps([event])},
        "sendgrid": {"email": raw_mail(to), "envelope": json.dumps(envelope)},
    }


def inbound_request(provider: str, to: str) -> tuple[bytes, str]:
    """Return the body and the content type of a mail to an address."""
    if fields := form_requests(to).get(provider):
        return urlencode(fields).encode(), FORM_CONTENT_TYPE
    return json.dumps(json_requests(to)[provider]).encode(), "application/json"


def hmac_digest(message: bytes, algorithm: str) -> bytes:
    return hmac.new(b"secret", message, getattr(hashlib, algorithm)).digest()


def signed_headers(provider: str, path: str, body: bytes) -> dict[str, str]:
    """Return the headers that authenticate a request, with a signature where the provider signs."""
    return {"Authorization": BASIC_AUTH} | signature_headers(provider, path, body)


def signature_headers(provider: str, path: str, body: bytes) -> dict[str, str]:
    match provider:
        case "amazon_ses":
            return {
                "X-Amz-Sns-Message-Type": "Notification",
                "X-Amz-Sns-Message-Id": "1",
            }
        case "mailersend":
            return {"Signature": hmac_digest(body, "sha256").hex()}
        case "mandrill":
            events = QueryDict(body)["mandrill_events"]
            text = f"http://username:password@testserver{path}mandrill_events{events}"
            return {
                "X-Mandrill-Signature": base64.b64encode(
                    hmac_digest(text.encode(), "sha1")
                ).decode()
            }
        case "postal":
            signature = sns_factory.private_key().sign(body, PKCS1v15(), hashes.SHA1())
            return {"X-Postal-Signature": base64.b64encode(signature).decode()}
        case _:
            return {}
