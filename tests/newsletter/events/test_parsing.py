"""newsletter/events/parsing.py, without a database"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailEvent
from django.core.cache import cache
from django.test import RequestFactory

from newsletter.events import parsing
from subscribers.mail import links
from tests.newsletter import inbound_requests, sns_factory, webhook_requests
from tests.newsletter.webhook_requests import ADA, BOUNCES, PROVIDERS

# Anymail warns at each request of SendGrid, and a warning is an error here.
pytestmark = pytest.mark.filterwarnings(
    "ignore:django-anymail has dropped official support for SendGrid"
)

REFUSALS = (parsing.MalformedRequestError, AnymailWebhookValidationFailure)


@pytest.fixture(autouse=True)
def _anymail_settings(settings: Any) -> Iterator[None]:
    settings.ANYMAIL = webhook_requests.ANYMAIL_SETTINGS
    sns_factory.cache_certificate()
    yield
    cache.clear()


def parse(name: str, body: bytes, headers: dict[str, str]) -> list[AnymailEvent]:
    """Validate a request and return its events."""
    request = RequestFactory().post("/", body, content_type="application/json", headers=headers)
    webhook = parsing.get_webhook(name)
    webhook.validate(request)
    return webhook.parse_events(request)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_bounce_names_its_recipient(provider: str) -> None:
    body, headers = webhook_requests.signed_request(provider, json.dumps(BOUNCES[provider]))

    [event] = parse(provider, body, headers)

    assert (event.event_type, event.recipient) == ("bounced", ADA)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_malformed_report_is_refused(provider: str, subtests: pytest.Subtests) -> None:
    for fault, malformed in webhook_requests.malformed_bodies(provider).items():
        body, headers = webhook_requests.signed_request(provider, malformed)
        with subtests.test(fault), pytest.raises(REFUSALS):
            parse(provider, body, headers)


@pytest.mark.parametrize("provider", sorted(links.INBOUND_PROVIDERS - {"mandrill"}))
def test_malformed_mail_is_refused(provider: str, settings: Any, subtests: pytest.Subtests) -> None:
    settings.ANYMAIL = inbound_requests.ANYMAIL_SETTINGS
    for malformed in ("", "{", "[]", "null", '"x"', "[[]]", "[null]", "[" * 100_000):
        body = malformed.encode()
        headers = inbound_requests.signed_headers(provider, f"/webhooks/{provider}/inbound/", body)
        with subtests.test(malformed[:9]):
            if provider == "sparkpost" and malformed == "[]":
                assert parse(f"{provider}_inbound", body, headers) == []  # a list of no mails
            else:
                with pytest.raises(REFUSALS):
                    parse(f"{provider}_inbound", body, headers)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_report_without_valid_credentials_is_refused(
    provider: str, subtests: pytest.Subtests
) -> None:
    body, headers = webhook_requests.signed_request(provider, json.dumps(BOUNCES[provider]))
    not_utf8 = "Basic " + base64.b64encode(b"a:\xff").decode()
    for authorization in ("", "Basic", "Basic !", "Bearer x", not_utf8):
        with subtests.test(authorization), pytest.raises(REFUSALS):
            parse(provider, body, headers | {"Authorization": authorization})


def remove_recipient(value: Any) -> Any:
    """Return a copy without ADA's address anywhere."""
    if isinstance(value, dict):
        return {key: remove_recipient(item) for key, item in value.items() if item != ADA}
    if isinstance(value, list):
        return [remove_recipient(item) for item in value if item != ADA]
    return value


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "amazon_ses"])
def test_a_bounce_without_a_recipient_is_refused(provider: str) -> None:
    bounce = json.dumps(remove_recipient(BOUNCES[provider]))
    body, headers = webhook_requests.signed_request(provider, bounce)

    with pytest.raises(parsing.MalformedRequestError):
        parse(provider, body, headers)


def test_an_event_without_a_recipient_does_not_affect_the_others() -> None:
    incomplete = {"event": "bounce", "timestamp": 1, "sg_message_id": "m"}
    body, headers = webhook_requests.signed_request(
        "sendgrid", json.dumps([incomplete, *BOUNCES["sendgrid"]])
    )

    assert [event.recipient for event in parse("sendgrid", body, headers)] == [ADA]
