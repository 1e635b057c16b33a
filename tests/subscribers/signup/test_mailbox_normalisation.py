"""subscribers/mail/links.py: the address that a mail to unsubscribe goes to."""

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
def mail_is_taken(settings):
    settings.INBOUND_DOMAIN = "in.example.org"
    settings.EMAIL_PROVIDER = "postmark"


@pytest.mark.usefixtures("mail_is_taken")
@pytest.mark.parametrize("spelt", [str, str.upper, str.title, lambda a: f"<{a}>"])
def test_an_address_to_unsubscribe_names_its_reader_in_whatever_case(spelt):
    ada = factories.subscriber()

    assert links.read_unsubscribe_address(spelt(links.unsubscribe_address(ada))) == ada


@pytest.mark.usefixtures("mail_is_taken")
def test_it_is_one_that_every_mail_server_takes():
    address = links.unsubscribe_address(factories.subscriber())

    local, domain = address.split("@")
    assert (len(local) <= 64, domain) == (True, "in.example.org")
    assert normalise_address(address) == address
    assert re.fullmatch(r"unsubscribe\+[a-z2-7]+", local)


@pytest.mark.usefixtures("mail_is_taken")
def test_it_outlives_a_new_key_while_the_old_one_is_a_fallback(settings):
    ada = factories.subscriber()
    address = links.unsubscribe_address(ada)

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new"
    assert links.read_unsubscribe_address(address) == ada

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(links.InvalidLinkError):
        links.read_unsubscribe_address(address)


@pytest.mark.usefixtures("mail_is_taken")
def test_every_letter_of_it_counts(django_assert_num_queries):
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
def test_any_other_address_is_nobody_s(address, django_assert_num_queries):
    with pytest.raises(links.InvalidLinkError), django_assert_num_queries(0):
        links.read_unsubscribe_address(address)


@pytest.mark.usefixtures("mail_is_taken")
def test_a_link_is_no_address_and_an_address_no_link():
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


@pytest.mark.usefixtures("mail_is_taken")
def test_the_address_of_who_was_erased_says_so():
    ada = factories.subscriber()
    address = links.unsubscribe_address(ada)
    ada.delete()

    with pytest.raises(links.UnknownSubscriberError):
        links.read_unsubscribe_address(address)


@pytest.mark.parametrize(
    ("domain", "provider"),
    [("", "postmark"), ("in.example.org", "smtp"), ("in.example.org", "mailtrap")],
)
def test_where_no_mail_is_taken_there_is_no_address(settings, domain, provider):
    settings.INBOUND_DOMAIN, settings.EMAIL_PROVIDER = domain, provider

    assert links.unsubscribe_address(factories.subscriber()) == ""


def test_mail_is_taken_by_providers_that_tell_the_envelope():
    anymail_s = {
        (pattern.name or "").partition("_inbound")[0]
        for pattern in anymail_urls.urlpatterns
        if "inbound" in (pattern.name or "")
    }

    assert anymail_s | {"mandrill"} == links.INBOUND_PROVIDERS | {"mailtrap", "sendinblue"}
