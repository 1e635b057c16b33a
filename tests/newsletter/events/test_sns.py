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
from werkzeug import Response

from newsletter.events import sns
from tests.newsletter import sns_factory

RECORDED = (
    Path(project.BASE_DIR).parent / "shared/data/webhooks/amazon_ses/keila-subscription.signed.json"
)
NOTIFICATION = {"Type": "Notification", "Message": "{}"}


@pytest.fixture(autouse=True)
def _certificate() -> Iterator[None]:
    cache.clear()
    sns_factory.cache_certificate()
    yield
    cache.clear()


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", sorted(sns.SIGNED_FIELDS))
def test_a_signed_message_is_accepted(kind: str, version: str) -> None:
    sns.verify_message(sns_factory.sign_message({"Type": kind}, version=version))


def test_a_subject_is_part_of_the_signed_text() -> None:
    message = sns_factory.sign_message(NOTIFICATION | {"Subject": "Größe"})
    sns.verify_message(message)

    with pytest.raises(sns.SnsVerificationError):
        sns.verify_message(message | {"Subject": "another"})


@pytest.mark.parametrize("kind", sorted(sns.SIGNED_FIELDS))
def test_a_change_of_any_signed_field_is_detected(kind: str) -> None:
    message = sns_factory.sign_message(
        {"Type": kind, "Subject": "S"} if kind == "Notification" else {"Type": kind}
    )

    for name in sns.SIGNED_FIELDS[kind]:
        with pytest.raises(sns.SnsVerificationError):
            sns.verify_message(message | {name: "another"})


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
def test_a_message_with_an_invalid_field_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(sns.SnsVerificationError):
        sns.verify_message(sns_factory.sign_message(NOTIFICATION) | change)


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
def test_a_certificate_from_another_host_is_not_fetched(
    url: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sns, "fetch_certificate", lambda url: pytest.fail(f"fetched {url}"))

    with pytest.raises(sns.SnsVerificationError, match="certificate"):
        sns.verify_message(sns_factory.sign_message(NOTIFICATION) | {"SigningCertURL": url})


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-12ab.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-12ab.pem",
    ],
)
def test_certificates_of_special_regions_are_accepted(url: str) -> None:
    sns_factory.cache_certificate(url)

    sns.verify_message(sns_factory.sign_message(NOTIFICATION, url=url))


def test_only_configured_topics_are_accepted(settings: Any) -> None:
    settings.SNS_TOPICS = [sns_factory.TOPIC_ARN]
    sns.verify_message(sns_factory.sign_message(NOTIFICATION))

    with pytest.raises(sns.SnsVerificationError, match="topic"):
        sns.verify_message(
            sns_factory.sign_message(NOTIFICATION | {"TopicArn": f"{sns_factory.TOPIC_ARN}2"})
        )


def test_without_the_package_cryptography_the_error_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sns, "x509", None)

    with pytest.raises(AnymailConfigurationError, match="cryptography is not installed"):
        sns.verify_message(sns_factory.sign_message(NOTIFICATION))


@pytest.fixture
def host(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    """Return a server on this machine that serves certificates instead of Amazon."""
    monkeypatch.setattr(sns, "CERTIFICATE_URL_PATTERN", re.compile(".*"))
    cache.clear()
    return httpserver


def test_a_certificate_is_fetched_once(host: HTTPServer) -> None:
    host.expect_oneshot_request("/a.pem").respond_with_data(sns_factory.certificate())
    message = sns_factory.sign_message(NOTIFICATION, url=host.url_for("/a.pem"))

    sns.verify_message(message)
    sns.verify_message(message)

    assert len(host.log) == 1


@pytest.mark.parametrize(
    "response",
    [
        Response("gone", status=404),
        Response("oops", status=500),
        Response("not a certificate"),
        Response(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Response("x" * (sns.MAX_CERTIFICATE_BYTES + 1)),
        Response("", status=302, headers={"Location": "/b.pem"}),
    ],
    ids=["404", "500", "text", "broken", "large", "redirect"],
)
def test_an_invalid_certificate_is_not_cached(host: HTTPServer, response: Response) -> None:
    host.expect_oneshot_request("/a.pem").respond_with_response(response)
    message = sns_factory.sign_message(NOTIFICATION, url=host.url_for("/a.pem"))
    with pytest.raises(sns.CertificateUnavailableError):
        sns.verify_message(message)

    host.expect_oneshot_request("/a.pem").respond_with_data(sns_factory.certificate())
    sns.verify_message(message)


def test_an_unreachable_host_is_a_temporary_failure() -> None:
    with pytest.raises(sns.CertificateUnavailableError, match="ConnectionError"):
        sns.fetch_certificate("http://127.0.0.1:9/a.pem")  # nothing listens there


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded webhooks are not on this machine")
def test_a_recorded_message_has_the_expected_form() -> None:
    """Its certificate is not recorded, so the signature itself cannot be verified."""
    message = json.loads(json.loads(RECORDED.read_text())["body"])

    assert sns.certificate_url(message) == message["SigningCertURL"]
    assert len(sns.decode_signature(message)) == 256
    assert sns.hash_algorithm(message).name == "sha1"
    assert sns.build_string_to_sign(message).decode().splitlines()[-1] == "SubscriptionConfirmation"
