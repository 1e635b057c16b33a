"""Requests as providers send them to our webhooks: samples, credentials and signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from tests import factories
from tests.newsletter import sns_factory

ADA = "ada@example.org"
BASIC_AUTH = "Basic " + base64.b64encode(b"username:password").decode()
SIGNING_SECRET = "TEST_WEBHOOK_SIGNING_SECRET"
MAILGUN_SIGNING_KEY = "TEST_WEBHOOK_SIGNING_KEY"
# Anymail's settings. The recorded requests were made with these credentials and keys.
ANYMAIL_SETTINGS = {
    "WEBHOOK_SECRET": ["username:password", "cred1:pass1"],
    "MAILERSEND_SIGNING_SECRET": SIGNING_SECRET,
    "MAILGUN_WEBHOOK_SIGNING_KEY": MAILGUN_SIGNING_KEY,
    "AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": False,
}


def sign(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


HAPPENED_AT = factories.NOW.timestamp()
MAILGUN_SIGNATURE = {
    "token": "t",
    "timestamp": "1",
    "signature": sign(MAILGUN_SIGNING_KEY, b"1t"),
}
SES_BOUNCE = {
    "eventType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": ADA}],
    },
    "mail": {"messageId": "m", "destination": [ADA]},
}
# A hard bounce by each provider, written after its documentation.
BOUNCES: dict[str, Any] = {
    "amazon_ses": {"Type": "Notification", "MessageId": "1", "Message": json.dumps(SES_BOUNCE)},
    "brevo": {"event": "hard_bounce", "email": ADA, "message-id": "<m>"},
    "mailersend": {
        "type": "activity.hard_bounced",
        "data": {
            "type": "hard_bounced",
            "email": {"recipient": {"email": ADA}, "message": {"id": "m"}},
            "morph": {"object": "recipient_bounce"},
        },
    },
    "mailgun": {
        "signature": MAILGUN_SIGNATURE,
        "event-data": {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "recipient": ADA,
            "timestamp": HAPPENED_AT,
        },
    },
    "mailjet": [{"event": "bounce", "email": ADA, "hard_bounce": True, "error": "user unknown"}],
    "mailtrap": {
        "events": [{"event": "bounce", "email": ADA, "timestamp": HAPPENED_AT, "message_id": "m"}],
    },
    "postmark": {"RecordType": "Bounce", "Type": "HardBounce", "Email": ADA, "MessageID": "m"},
    "resend": {
        "type": "email.bounced",
        "data": {"email_id": "m", "to": [ADA], "bounce": {"type": "Permanent"}},
    },
    "sendgrid": [{"event": "bounce", "type": "bounce", "email": ADA, "timestamp": HAPPENED_AT}],
    "sparkpost": [
        {
            "msys": {
                "message_event": {
                    "type": "bounce",
                    "bounce_class": "10",
                    "raw_rcpt_to": ADA,
                    "message_id": "m",
                }
            }
        }
    ],
}
PROVIDERS = sorted(BOUNCES)


def malformed_bodies(provider: str) -> dict[str, bytes]:
    """Return what is wrong with each body, and the body: a provider's bounce, damaged."""
    body = json.dumps(BOUNCES[provider]).encode()
    bodies = {
        "empty": b"",
        "truncated": body[: len(body) * 2 // 3],
        "not UTF-8": body.replace(ADA.encode(), b"\xff\xfe"),
        "null": b"null",
        "a number": b"7",
        "a string": b'"event"',
        "list or object exchanged": body[1:-1] if body[:1] == b"[" else b"[" + body + b"]",
        "a list of lists": b"[[]]",
        "a list of nulls": b"[null]",
        "deeply nested": b"[" * 100_000,
    }
    if provider == "mailjet":  # documents a single event as well as a list
        del bodies["list or object exchanged"]
    return bodies


def signed_request(provider: str, body: str | bytes) -> tuple[bytes, dict[str, str]]:
    """Return a body and the headers that authenticate it, signed where the provider signs."""
    raw_body = body.encode() if isinstance(body, str) else body
    headers = {"Authorization": BASIC_AUTH}
    if provider == "mailersend":
        headers["Signature"] = sign(SIGNING_SECRET, raw_body)
    if provider == "amazon_ses":
        raw_body = sns_factory.sign_body(raw_body)
        headers |= sns_headers(raw_body)
    return raw_body, headers


def sns_headers(raw_body: bytes) -> dict[str, str]:
    """Return the headers that Amazon derives from a message; none if it is malformed."""
    try:
        message = json.loads(raw_body)
        return {
            "X-Amz-Sns-Message-Type": message["Type"],
            "X-Amz-Sns-Message-Id": message["MessageId"],
        }
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
