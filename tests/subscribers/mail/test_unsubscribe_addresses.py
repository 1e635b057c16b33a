"""subscribers/mail/links.py: unsubscribe addresses"""

from __future__ import annotations

import re

import pytest
from anymail import urls as anymail_urls

from subscribers.addresses import normalise_address
from subscribers.mail import links
from subscribers.mail.links import Purpose
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def inbound_enabled(settings):
    settings.INBOUND_DOMAIN = "in.example.org"
    settings.EMAIL_PROVIDER = "postmark"


@pytest.mark.usefixtures("inbound_enabled")
@pytest.mark.parametrize("change_case", [str, str.upper, str.title, lambda address: f"<{address}>"])
def test_an_unsubscribe_address_is_read_in_any_case(change_case):
    ada = factories.subscriber()

    assert links.read_unsubscribe_address(change_case(links.unsubscribe_address(ada))) == ada


@pytest.mark.usefixtures("inbound_enabled")
def test_an_unsubscribe_address_is_valid_for_every_mail_server():
    address = links.unsubscribe_address(factories.subscriber())

    local, domain = address.split("@")
    assert (len(local) <= 64, domain) == (True, "in.example.org")
    assert normalise_address(address) == address
    assert re.fullmatch(r"unsubscribe\+[a-z2-7]+", local)


@pytest.mark.usefixtures("inbound_enabled")
def test_an_unsubscribe_address_survives_a_key_change_while_the_old_key_is_a_fallback(settings):
    ada = factories.subscriber()
    address = links.unsubscribe_address(ada)

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new"
    assert links.read_unsubscribe_address(address) == ada

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(links.InvalidLinkError):
        links.read_unsubscribe_address(address)


@pytest.mark.usefixtures("inbound_enabled")
def test_an_address_with_one_letter_changed_is_refused_without_a_query(django_assert_num_queries):
    address = links.unsubscribe_address(factories.subscriber())
    local, domain = address.split("@")
    start = len(links.UNSUBSCRIBE_LOCAL_PREFIX)

    with django_assert_num_queries(0):
        for place in range(start, len(local) - 1):
            other = "a" if local[place] != "a" else "b"
            with pytest.raises(links.InvalidLinkError):
                links.read_unsubscribe_address(
                    f"{local[:place]}{other}{local[place + 1 :]}@{domain}"
                )


@pytest.mark.parametrize(
    "address",
    [
        "",
        "unsubscribe@in.example.org",
        "unsubscribe+@in.example.org",
        "unsubscribe+abc@in.example.org",
        f"unsubscribe+{'a' * 45}@in.example.org",
        f"unsubscribe+{'a' * 46}@in.example.org",
        f"unsubscribe+{'ſ' * 45}@in.example.org",
        f"unsubscribe+{'1' * 45}@in.example.org",
        "unsubscribe+" + "a" * 1_000_000,
        "\x00",
    ],
)
def test_any_other_address_is_refused_without_a_query(address, django_assert_num_queries):
    with pytest.raises(links.InvalidLinkError), django_assert_num_queries(0):
        links.read_unsubscribe_address(address)


@pytest.mark.usefixtures("inbound_enabled")
def test_links_and_addresses_are_not_interchangeable():
    ada = factories.subscriber()
    token = (
        links.unsubscribe_address(ada).removeprefix(links.UNSUBSCRIBE_LOCAL_PREFIX).split("@")[0]
    )

    with pytest.raises(links.InvalidLinkError):
        links.read_token(Purpose.UNSUBSCRIBE, token)
    with pytest.raises(links.InvalidLinkError):
        links.read_unsubscribe_address(
            f"unsubscribe+{links.signed_token(Purpose.UNSUBSCRIBE, ada)}@in.example.org"
        )


@pytest.mark.usefixtures("inbound_enabled")
def test_the_address_of_an_erased_subscriber_is_recognised():
    ada = factories.subscriber()
    address = links.unsubscribe_address(ada)
    ada.delete()

    with pytest.raises(links.UnknownSubscriberError):
        links.read_unsubscribe_address(address)


@pytest.mark.parametrize(
    ("domain", "provider"),
    [("", "postmark"), ("in.example.org", "smtp"), ("in.example.org", "mailtrap")],
)
def test_there_is_no_address_without_inbound_mail(settings, domain, provider):
    settings.INBOUND_DOMAIN, settings.EMAIL_PROVIDER = domain, provider

    assert links.unsubscribe_address(factories.subscriber()) == ""


def test_inbound_providers_match_those_of_anymail():
    anymail_providers = {
        (pattern.name or "").partition("_inbound")[0]
        for pattern in anymail_urls.urlpatterns
        if "inbound" in (pattern.name or "")
    }

    assert anymail_providers | {"mandrill"} == links.INBOUND_PROVIDERS | {"mailtrap", "sendinblue"}
