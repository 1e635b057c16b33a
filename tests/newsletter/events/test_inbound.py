"""newsletter/webhooks.py: mail that readers write to leave, as each provider passes it on"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from anymail.signals import inbound
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from django.apps import apps
from django.core.cache import cache
from django.http import QueryDict
from django.test import Client

from newsletter.models import ProviderReport
from subscribers.mail import links
from subscribers.models import Subscriber
from tests import factories
from tests.newsletter import sns_factory

pytestmark = [
    pytest.mark.django_db,
    # Anymail says so at every request; a warning is an error here.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

BASIC = "Basic " + base64.b64encode(b"username:password").decode()
POSTAL_KEY = "".join(
    sns_factory.private_key()
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
    .splitlines()[1:-1]
)
KEYS = {
    "WEBHOOK_SECRET": "username:password",
    "BREVO_API_KEY": "key",
    "RESEND_API_KEY": "key",
    "MAILERSEND_INBOUND_SECRET": "secret",
    "MAILGUN_WEBHOOK_SIGNING_KEY": "secret",
    "MANDRILL_WEBHOOK_KEY": "secret",
    "POSTAL_WEBHOOK_KEY": POSTAL_KEY,
}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _mail_is_taken(settings: Any) -> Iterator[None]:
    settings.ANYMAIL = KEYS
    settings.INBOUND_DOMAIN = "in.example.org"
    settings.EMAIL_PROVIDER = "postmark"
    sns_factory.cache_certificate()
    with time_machine.travel(factories.NOW, tick=False):
        yield
    cache.clear()


def raw_mail(to: str) -> str:
    return f"From: ada@example.org\r\nTo: {to}\r\nSubject: unsubscribe\r\n\r\nSECRET WORDS\r\n"


def written(to: str) -> dict[str, Any]:
    """A mail to that address, as each provider's documentation has it: JSON."""
    from_amazon = {
        "notificationType": "Received",
        "mail": {"source": "ada@example.org", "messageId": "1"},
        "receipt": {"recipients": [to], "action": {"type": "SNS", "encoding": "UTF-8"}},
        "content": raw_mail(to),
    }
    attached = {"DownloadToken": "t", "Name": "a.txt", "ContentType": "text/plain"}
    headers = {"Delivered-To": to, "From": "ada@example.org"}
    content = {"email_rfc822": raw_mail(to), "email_rfc822_is_base64": False}
    return {
        "amazon_ses": sns_factory.sign_message(
            {"Type": "Notification", "Message": json.dumps(from_amazon)}
        ),
        "brevo": {"items": [{"Uuid": ["1"], "Headers": headers, "Attachments": [attached]}]},
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


def posted(to: str) -> dict[str, dict[str, str]]:
    """The same, as the fields of a form."""
    told = {"event": "inbound", "ts": 1, "msg": {"email": to, "raw_msg": raw_mail(to)}}
    envelope = {"from": "ada@example.org", "to": [to]}
    return {
        "mailgun": {
            "recipient": to,
            "body-mime": raw_mail(to),
            "timestamp": "1",
            "token": "t",
            "signature": keyed(b"1t", "sha256").hex(),
        },
        "mandrill": {"mandrill_events": json.dumps([told])},
        "sendgrid": {"email": raw_mail(to), "envelope": json.dumps(envelope)},
    }


def as_sent(provider: str, to: str) -> tuple[bytes, str]:
    if fields := posted(to).get(provider):
        return urlencode(fields).encode(), FORM
    return json.dumps(written(to)[provider]).encode(), "application/json"


def keyed(message: bytes, algorithm: str) -> bytes:
    return hmac.new(b"secret", message, getattr(hashlib, algorithm)).digest()


def signature(provider: str, path: str, body: bytes) -> dict[str, str]:
    match provider:
        case "amazon_ses":
            return {
                "X-Amz-Sns-Message-Type": "Notification",
                "X-Amz-Sns-Message-Id": "1",
            }
        case "mailersend":
            return {"Signature": keyed(body, "sha256").hex()}
        case "mandrill":
            told = QueryDict(body)["mandrill_events"]
            text = f"http://username:password@testserver{path}mandrill_events{told}"
            return {"X-Mandrill-Signature": base64.b64encode(keyed(text.encode(), "sha1")).decode()}
        case "postal":
            signed = sns_factory.private_key().sign(body, PKCS1v15(), hashes.SHA1())
            return {"X-Postal-Signature": base64.b64encode(signed).decode()}
        case _:
            return {}


def post(provider: str, to: str, **headers: str) -> int:
    raw, content_type = as_sent(provider, to)
    path = "/webhooks/mandrill/" if provider == "mandrill" else f"/webhooks/{provider}/inbound/"
    answer = Client(raise_request_exception=False).post(
        path,
        raw,
        content_type=content_type,
        headers={"Authorization": BASIC} | signature(provider, path, raw) | headers,
    )
    return answer.status_code


PROVIDERS = sorted(links.INBOUND_PROVIDERS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_reader_leaves_by_mail_however_often_it_comes(provider: str) -> None:
    ada, ben = factories.subscriber(), factories.subscriber()

    answers = [post(provider, links.unsubscribe_address(ada).upper()) for _ in range(2)]

    assert answers == [200, 200]
    ada.refresh_from_db()
    ben.refresh_from_db()
    assert (ada.status, ada.left_reason, ben.status) == ("left", "unsubscribed", "active")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_of_the_mail_is_kept(provider: str) -> None:
    ada = factories.subscriber()

    post(provider, links.unsubscribe_address(ada))

    rows = str([list(model._default_manager.values()) for model in apps.get_models()])
    assert "SECRET" not in rows
    assert not ProviderReport.objects.exists()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_the_credentials_it_is_refused(provider: str) -> None:
    ada = factories.subscriber()

    answer = post(provider, links.unsubscribe_address(ada), Authorization="Basic !")

    assert 400 <= answer < 500
    assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("to", ["hello@in.example.org", "unsubscribe+abc@in.example.org", "x"])
def test_mail_to_anywhere_else_is_taken_and_dropped(provider: str, to: str) -> None:
    factories.subscriber(email="ada@example.org")

    assert post(provider, to) == 200
    assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE


@pytest.mark.parametrize("provider", [each for each in PROVIDERS if each != "mandrill"])
@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', "[[]]", "[null]", "[" * 100_000])
def test_what_cannot_be_read_is_refused(provider: str, body: str) -> None:
    raw = body.encode()
    path = f"/webhooks/{provider}/inbound/"
    answer = Client(raise_request_exception=False).post(
        path,
        raw,
        content_type="application/json",
        headers={"Authorization": BASIC} | signature(provider, path, raw),
    )

    nothing = provider in {"sparkpost"} and body == "[]"  # a list of no mails
    assert answer.status_code == 200 if nothing else 400 <= answer.status_code < 500


def test_what_fails_here_comes_again() -> None:
    ada = factories.subscriber()

    def fail(**_: Any) -> None:
        raise OSError

    inbound.connect(fail)
    try:
        assert post("postmark", links.unsubscribe_address(ada)) == 500
    finally:
        inbound.disconnect(fail)
    assert post("postmark", links.unsubscribe_address(ada)) == 200


@pytest.mark.parametrize("provider", ["mailtrap", "sendinblue"])
def test_a_provider_that_does_not_tell_the_envelope_has_no_address(provider: str) -> None:
    assert Client().post(f"/webhooks/{provider}/inbound/").status_code == 404
