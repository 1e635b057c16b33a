"""newsletter/events/sns.py"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anymail.exceptions import AnymailConfigurationError
from django.conf import settings as project
from django.core.cache import cache
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.events import sns
from tests.newsletter import sns_factory

RECORDED = (
    Path(project.BASE_DIR).parent / "shared/data/webhooks/amazon_ses/keila-subscription.signed.json"
)
NOTIFICATION = {"Type": "Notification", "Message": "{}"}


@pytest.fixture(autouse=True)
def _certificate() -> Iterator[None]:
    cache.clear()
    sns_factory.remember_certificate()
    yield
    cache.clear()


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", sorted(sns.SIGNED_FIELDS))
def test_what_amazon_signed_is_believed(kind: str, version: str) -> None:
    sns.verify(sns_factory.signed({"Type": kind}, version=version))


def test_a_subject_is_signed_where_there_is_one() -> None:
    message = sns_factory.signed(NOTIFICATION | {"Subject": "Größe"})
    sns.verify(message)

    with pytest.raises(sns.Forged):
        sns.verify(message | {"Subject": "another"})


@pytest.mark.parametrize("kind", sorted(sns.SIGNED_FIELDS))
def test_every_field_that_is_signed_counts(kind: str) -> None:
    message = sns_factory.signed(
        {"Type": kind, "Subject": "S"} if kind == "Notification" else {"Type": kind}
    )

    for name in sns.SIGNED_FIELDS[kind]:
        with pytest.raises(sns.Forged):
            sns.verify(message | {name: "another"})


@pytest.mark.parametrize(
    "change",
    [
        {"Signature": ""},
        {"Signature": "EXAMPLE=="},
        {"Signature": "!"},
        {"Signature": None},
        {"Signature": 7},
        {"SignatureVersion": "3"},
        {"SignatureVersion": None},
        {"SignatureVersion": "2"},
        {"Type": "Other"},
        {"Type": []},
        {"Timestamp": None},
        {"Timestamp": 7},
    ],
)
def test_anything_else_is_forged(change: dict[str, Any]) -> None:
    with pytest.raises(sns.Forged):
        sns.verify(sns_factory.signed(NOTIFICATION) | change)


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://evil.example#.sns.eu-west-1.amazonaws.com/a.pem",
        "https://snsXeu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "https://user@sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
        "https://sns.eu-west-1.amazonaws.com/../a.pem",
        "https://sns.eu-west-1.amazonaws.com/?Action=x&a=.pem",
        "https://sns.eu-west-1.amazonaws.com/a.pem\n",
        "https://sns.eu-west-1.amazonaws.com/a",
        "https://s3.eu-west-1.amazonaws.com/bucket.pem",
        "https://sns.amazonaws.com/a.pem",
        "file:///etc/passwd",
        "",
        None,
        7,
    ],
)
def test_a_certificate_from_elsewhere_is_not_even_fetched(
    url: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sns, "fetch", lambda url: pytest.fail(f"fetched {url}"))

    with pytest.raises(sns.Forged, match="certificate"):
        sns.verify(sns_factory.signed(NOTIFICATION) | {"SigningCertURL": url})


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-12ab.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-12ab.pem",
    ],
)
def test_amazon_has_regions_of_other_names(url: str) -> None:
    sns_factory.remember_certificate(url)

    sns.verify(sns_factory.signed(NOTIFICATION, url=url))


def test_only_topics_that_are_named_are_believed(settings: Any) -> None:
    settings.SNS_TOPICS = [sns_factory.TOPIC]
    sns.verify(sns_factory.signed(NOTIFICATION))

    with pytest.raises(sns.Forged, match="topic"):
        sns.verify(sns_factory.signed(NOTIFICATION | {"TopicArn": f"{sns_factory.TOPIC}2"}))


def test_without_the_package_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sns, "x509", None)

    with pytest.raises(AnymailConfigurationError, match="cryptography is not installed"):
        sns.verify(sns_factory.signed(NOTIFICATION))


@pytest.fixture
def host(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    """A server on this machine in Amazon's place."""
    monkeypatch.setattr(sns, "CERTIFICATE_URL", re.compile(".*"))
    cache.clear()
    return httpserver


def test_a_certificate_is_fetched_once(host: HTTPServer) -> None:
    host.expect_oneshot_request("/a.pem").respond_with_data(sns_factory.certificate())
    message = sns_factory.signed(NOTIFICATION, url=host.url_for("/a.pem"))

    sns.verify(message)
    sns.verify(message)

    assert len(host.log) == 1


def redirect(request: Request) -> Response:
    return Response("", status=302, headers={"Location": "/a.pem"})


@pytest.mark.parametrize(
    "answer",
    [
        Response("gone", status=404),
        Response("oops", status=500),
        Response("not a certificate"),
        Response(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Response("x" * (sns.LARGEST + 1)),
        Response("", status=302, headers={"Location": "/b.pem"}),
    ],
    ids=["404", "500", "text", "broken", "large", "redirect"],
)
def test_what_is_no_certificate_is_asked_for_again(host: HTTPServer, answer: Response) -> None:
    host.expect_oneshot_request("/a.pem").respond_with_response(answer)
    message = sns_factory.signed(NOTIFICATION, url=host.url_for("/a.pem"))
    with pytest.raises(sns.Unavailable):
        sns.verify(message)

    host.expect_oneshot_request("/a.pem").respond_with_data(sns_factory.certificate())
    sns.verify(message)


def test_a_host_that_is_away_is_asked_again_later() -> None:
    with pytest.raises(sns.Unavailable, match="ConnectionError"):
        sns.fetch("http://127.0.0.1:9/a.pem")  # the port of nobody


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded webhooks are not on this machine")
def test_a_really_signed_message_has_the_form_that_is_checked() -> None:
    """Its certificate is not recorded, so whether the signature fits cannot be said here."""
    message = json.loads(json.loads(RECORDED.read_text())["body"])

    assert sns.url_of(message) == message["SigningCertURL"]
    assert len(sns.signature_of(message)) == 256
    assert sns.algorithm_of(message).name == "sha1"
    assert sns.canonical(message).decode().splitlines()[-1] == "SubscriptionConfirmation"
