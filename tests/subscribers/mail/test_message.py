"""subscribers/mail/message.py"""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from subscribers import suppression
from subscribers.mail import links
from subscribers.mail import message as mail_message
from subscribers.mail.links import Purpose
from subscribers.models import Subscriber, Suppression
from tests import factories

pytestmark = pytest.mark.django_db

Status = Subscriber.Status
KINDS = {"confirmation": Status.PENDING, "already": Status.ACTIVE, "digest": Status.ACTIVE}
CONTEXTS: dict[str, dict[str, Any]] = {
    "confirmation": {"confirm_url": "https://x.example/confirm/token/", "days": 3},
    "already": {"preferences_url": "https://x.example/preferences/token/"},
}


def compose(subscriber: Subscriber, **changed: Any) -> EmailMultiAlternatives:
    fields = {"kind": "digest", "subject": "Papers", "text": "Text", "html": "<p>HTML</p>"}
    return mail_message.compose_message(subscriber, **fields | changed)


def parse_sent(message: EmailMultiAlternatives) -> EmailMessage:
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)


def test_a_message_has_both_bodies_with_text_first():
    sent = parse_sent(compose(factories.subscriber()))

    assert sent.get_content_type() == "multipart/alternative"
    assert [(part.get_content_type(), part.get_content()) for part in sent.iter_parts()] == [
        ("text/plain", "Text"),
        ("text/html", "<p>HTML</p>"),
    ]


def test_a_message_has_the_headers_of_list_mail(settings):
    settings.SITE_URL, settings.SITE_HOST = "https://papers.example.org", "papers.example.org"
    settings.DEFAULT_FROM_EMAIL = "Trending Papers <hello@example.org>"
    ada = factories.subscriber(email="ada@example.org")

    sent = parse_sent(compose(ada, headers={"X-More": "1"}, message_id="<digest-1@here>"))

    token = links.signed_token(Purpose.UNSUBSCRIBE, ada)
    sent_headers = {name: value.strip() for name, value in sent.items()}
    assert {
        name: sent_headers[name]
        for name in set(sent_headers) - {"Content-Type", "Date", "MIME-Version"}
    } == {
        "From": "Trending Papers <hello@example.org>",
        "To": "ada@example.org",
        "Subject": "Papers",
        "Message-ID": "<digest-1@here>",
        "List-Id": "Trending Papers <daily.papers.example.org>",
        "List-Unsubscribe": f"<https://papers.example.org/unsubscribe/{token}/>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF",
        "X-More": "1",
    }


@pytest.mark.parametrize("site_name", ["Papers, Inc.", "Papiere für München"])
def test_the_list_id_survives_any_site_name(settings, site_name):
    settings.SITE_NAME, settings.SITE_HOST = site_name, "papers.example.org"

    list_id = compose(factories.subscriber()).message()["List-Id"]

    name, address = parseaddr(list_id)
    assert str(make_header(decode_header(name))) == site_name
    assert address == "daily.papers.example.org"


def test_the_unsubscribe_url_is_not_folded():
    ada = factories.subscriber()

    lines = compose(ada).message().as_bytes().decode().splitlines()

    assert f" <{links.signed_url(Purpose.UNSUBSCRIBE, ada)}>" in lines


def test_a_message_without_an_id_gets_a_new_one(settings):
    ada = factories.subscriber()

    first, second = (compose(ada).extra_headers["Message-ID"] for _ in range(2))

    assert re.fullmatch(rf"<digest-[0-9a-f]{{32}}@{settings.SITE_HOST}>", first)
    assert first != second


def test_a_message_has_metadata_for_the_provider_s_reports():
    ada = factories.subscriber()

    message: Any = compose(ada, metadata={"edition": "2026-05-12"})

    assert message.metadata == {
        "kind": "digest",
        "subscriber": str(ada.public_id),
        "edition": "2026-05-12",
    }
    assert message.tags == ["digest"]


@pytest.mark.parametrize(
    "subject", ["One\nBcc: eve@example.org", "One\r\n  two", "One\x00\ttwo", "One\u2028two"]
)
def test_a_subject_is_reduced_to_one_line(subject):
    message = compose(factories.subscriber(), subject=subject)

    assert message.subject.isprintable()
    assert [name for name, _ in parse_sent(message).items() if name == "Bcc"] == []


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.org\nBcc: eve@example.org",
        "ada@example.org\r\n",
        "ada@example.org, eve@example.org",
        "ada@example.org;eve@example.org",
        "Ada <ada@example.org>",
        "ada@@example.org",
        "ada\x00@example.org",
        "ada",
        "",
    ],
)
def test_an_unsafe_address_is_refused(email):
    ada = factories.subscriber()
    ada.email = email

    with pytest.raises(
        mail_message.CannotSendError, match=rf"The address of #{ada.pk} \(active\) is not a single"
    ):
        compose(ada)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", Status)
def test_a_message_requires_the_status_of_its_kind(kind, status):
    subscriber = factories.subscriber(status=status)

    if status == KINDS[kind]:
        assert compose(subscriber, kind=kind).to == [subscriber.email]
    else:
        with pytest.raises(mail_message.CannotSendError, match=f"A {kind} message is for"):
            compose(subscriber, kind=kind)


@pytest.mark.parametrize("name", CONTEXTS)
def test_every_mail_has_its_links_and_the_postal_address_in_both_bodies(name, settings):
    settings.POSTAL_ADDRESS = "1 Example Street"
    subscriber = factories.subscriber(status=KINDS[name])

    message = mail_message.build_message(name, subscriber, CONTEXTS[name])

    html, text = str(message.alternatives[0][0]), str(message.body)
    for body in (html, text):
        assert {url for url in CONTEXTS[name].values() if isinstance(url, str)} <= urls(body)
        assert links.signed_url(Purpose.UNSUBSCRIBE, subscriber) in urls(body)
        assert "1 Example Street" in body
    assert settings.SITE_NAME in message.subject
    assert len(html.encode()) < 20_000


def urls(body: str) -> set[str]:
    return set(re.findall(r"https?://[^\s\"<>]+", body))


def test_only_html_is_escaped(settings):
    settings.SITE_NAME = "Bayes' & Sons"
    subscriber = factories.subscriber(status=Status.PENDING)

    message = mail_message.build_message("confirmation", subscriber, CONTEXTS["confirmation"])

    assert "Bayes' & Sons" in message.subject
    assert "Bayes' & Sons" in str(message.body)
    assert "Bayes&#x27; &amp; Sons" in str(message.alternatives[0][0])


def test_with_inbound_mail_the_header_has_an_address_too(settings):
    settings.INBOUND_DOMAIN, settings.EMAIL_PROVIDER = "in.example.org", "postmark"
    ada = factories.subscriber()

    sent = parse_sent(compose(ada))

    https = links.signed_url(Purpose.UNSUBSCRIBE, ada)
    assert re.sub(r"\s+", " ", sent["List-Unsubscribe"]).strip() == (
        f"<{https}>, <mailto:{links.unsubscribe_address(ada)}>"
    )
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("kind", ["already", "another"])
def test_a_suppressed_address_gets_only_confirmation_mails(kind):
    ada = factories.subscriber()
    suppression.suppress(ada.email, Suppression.Reason.COMPLAINED, factories.NOW)

    with pytest.raises(mail_message.CannotSendError, match="is suppressed"):
        mail_message.build_message(kind, ada, CONTEXTS["already"])

    ada.status = Status.PENDING
    assert mail_message.build_message("confirmation", ada, CONTEXTS["confirmation"]).to == [
        ada.email
    ]
