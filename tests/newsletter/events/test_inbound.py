"""newsletter/webhooks.py: incoming mail, by which readers unsubscribe"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from anymail.signals import inbound
from django.apps import apps
from django.core.cache import cache
from django.test import Client

from newsletter.models import ProviderReport
from subscribers.mail import links
from subscribers.models import Subscriber
from tests import factories
from tests.newsletter import inbound_requests, sns_factory

pytestmark = [
    pytest.mark.django_db,
    # Anymail warns at each request of SendGrid, and a warning is an error here.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

PROVIDERS = sorted(links.INBOUND_PROVIDERS)


@pytest.fixture(autouse=True)
def _inbound_enabled(settings: Any) -> Iterator[None]:
    settings.ANYMAIL = inbound_requests.ANYMAIL_SETTINGS
    settings.INBOUND_DOMAIN = "in.example.org"
    settings.EMAIL_PROVIDER = "postmark"
    sns_factory.cache_certificate()
    with time_machine.travel(factories.NOW, tick=False):
        yield
    cache.clear()


def post(provider: str, to: str, **headers: str) -> int:
    """Post a mail to an address; return the status of the response."""
    body, content_type = inbound_requests.inbound_request(provider, to)
    return post_body(provider, body, content_type, **headers)


def post_body(provider: str, body: bytes, content_type: str, **headers: str) -> int:
    path = "/webhooks/mandrill/" if provider == "mandrill" else f"/webhooks/{provider}/inbound/"
    signed_headers = inbound_requests.signed_headers(provider, path, body)
    response = Client(raise_request_exception=False).post(
        path, body, content_type=content_type, headers=signed_headers | headers
    )
    return response.status_code


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_mail_unsubscribes_its_reader_and_repeating_it_is_harmless(provider: str) -> None:
    ada, ben = factories.subscriber(), factories.subscriber()

    statuses = [post(provider, links.unsubscribe_address(ada).upper()) for _ in range(2)]

    assert statuses == [200, 200]
    ada.refresh_from_db()
    ben.refresh_from_db()
    assert (ada.status, ada.left_reason, ben.status) == ("left", "unsubscribed", "active")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_of_a_mail_is_stored(provider: str) -> None:
    ada = factories.subscriber()

    post(provider, links.unsubscribe_address(ada))

    rows = str([list(model._default_manager.values()) for model in apps.get_models()])
    assert "SECRET" not in rows
    assert not ProviderReport.objects.exists()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_mail_without_valid_credentials_is_refused(provider: str) -> None:
    ada = factories.subscriber()

    status = post(provider, links.unsubscribe_address(ada), Authorization="Basic !")

    assert 400 <= status < 500
    assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_mail_to_any_other_address_is_accepted_and_dropped(provider: str) -> None:
    factories.subscriber(email="ada@example.org")

    for to in ("hello@in.example.org", "unsubscribe+abc@in.example.org", "x"):
        assert post(provider, to) == 200
    assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE


def test_a_malformed_mail_is_answered_with_400() -> None:
    """For other faults and providers see test_parsing.py."""
    assert post_body("postmark", b"{", "application/json") == 400


def test_a_receiver_s_failure_is_answered_with_500_so_that_the_mail_is_repeated() -> None:
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
def test_a_provider_that_does_not_report_the_envelope_has_no_address(provider: str) -> None:
    assert Client().post(f"/webhooks/{provider}/inbound/").status_code == 404
