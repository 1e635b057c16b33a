"""newsletter/webhooks.py: reports of what happened to our mail"""

from __future__ import annotations

import base64
import json
import logging
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as project
from django.core.cache import cache
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve
from kombu.exceptions import OperationalError

from newsletter import tasks, webhooks
from newsletter.events import parsing, processing, receivers, reports, sns
from newsletter.models import Delivery, ProviderEvent, ProviderReport
from subscribers.models import SoftBounce, Subscriber, Suppression
from tests import factories
from tests.newsletter import sns_factory
from tests.newsletter.webhook_requests import (
    ADA,
    ANYMAIL_SETTINGS,
    BASIC_AUTH,
    BOUNCES,
    PROVIDERS,
    SES_BOUNCE,
    malformed_bodies,
    signed_request,
    sns_headers,
)

pytestmark = [
    pytest.mark.django_db,
    # Anymail warns at each request of SendGrid, and a warning is an error here.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

RECORDED = Path(project.BASE_DIR).parent / "shared" / "data" / "webhooks"
recorded_only = pytest.mark.skipif(
    not RECORDED.exists(), reason="the recorded webhooks are not on this machine"
)


@pytest.fixture(autouse=True)
def _now_and_settings(settings: Any) -> Iterator[None]:
    settings.ANYMAIL = ANYMAIL_SETTINGS
    sns_factory.cache_certificate()
    with time_machine.travel(factories.NOW, tick=False):
        yield
    cache.clear()


@pytest.fixture
def client() -> Client:
    """Return a client that shows errors as a provider sees them: as 500."""
    return Client(raise_request_exception=False)


def post(client: Client, provider: str, body: str | bytes, **headers: str) -> Any:
    """Post a report with the credentials of the address, signed where the provider signs."""
    raw_body, signed_headers = signed_request(provider, body)
    return client.post(
        f"/webhooks/{provider}/tracking/",
        raw_body,
        content_type="application/json",
        headers=signed_headers | headers,
    )


def state() -> list[Any]:
    """Return everything that a report can change."""
    return [
        sorted(Subscriber.objects.values_list("email", "status", "left_reason")),
        sorted(Suppression.objects.values_list("address_hash", "reason")),
        sorted(Delivery.objects.values_list("pk", "state", "event")),
        sorted(SoftBounce.objects.values_list("subscriber__email", "message")),
        sorted(ProviderReport.objects.values_list("digest", flat=True)),
    ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_bounce_is_applied_once_however_often_it_is_reported(
    client: Client, provider: str
) -> None:
    factories.subscriber(email=ADA)
    body = json.dumps(BOUNCES[provider])

    statuses = [post(client, provider, body).status_code for _ in range(2)]

    assert statuses == [200, 200]
    assert Subscriber.objects.get().status == Subscriber.Status.LEFT
    assert [row.reason for row in Suppression.objects.all()] == ["bounced"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_report_without_valid_credentials_changes_nothing(client: Client, provider: str) -> None:
    factories.subscriber(email=ADA)
    before = state()

    response = post(client, provider, json.dumps(BOUNCES[provider]), Authorization="Basic !")

    assert 400 <= response.status_code < 500
    assert state() == before


@pytest.mark.parametrize("provider", ["mailersend", "mailgun", "mandrill", "amazon_ses"])
def test_a_webhook_whose_signing_key_is_not_set_refuses_reports(
    client: Client, settings: Any, provider: str
) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "username:another-password"}

    response = post(client, provider, json.dumps(BOUNCES.get(provider, {})))

    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_malformed_report_is_refused_without_quoting_it(
    client: Client, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    """For other faults see events/test_parsing.py."""
    factories.subscriber(email=ADA)
    before = state()

    with caplog.at_level(logging.INFO, logger="newsletter"):
        response = post(client, provider, malformed_bodies(provider)["truncated"])

    assert 400 <= response.status_code < 500
    assert len(response.content) < 100
    assert ADA not in response.content.decode() + caplog.text
    assert state() == before


@pytest.mark.parametrize("field", ["Email", "MessageID", "Metadata", "Description", "DeliveredAt"])
def test_odd_text_in_a_field_causes_no_server_error(
    client: Client, field: str, subtests: pytest.Subtests
) -> None:
    factories.subscriber(email=ADA)
    for text in ("\ud800", "\x00", "\r\nBcc: eve@example.org", "x" * 70_000):
        value: Any = text
        if field == "Metadata":
            value = {"subscriber": text, "delivery": text, "edition": text}
        with subtests.test(ascii(text[:9])):
            response = post(client, "postmark", json.dumps(BOUNCES["postmark"] | {field: value}))
            assert response.status_code < 500


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_impossible_timestamp_causes_no_server_error(client: Client, timestamp: str) -> None:
    edition = factories.edition()
    factories.delivery(
        edition=edition,
        subscriber=factories.subscriber(email=ADA),
        state=Delivery.State.HANDED_OVER,
        attempted_at=factories.NOW,
        message_id="m",
    )

    response = post(client, "postmark", json.dumps(BOUNCES["postmark"] | {"BouncedAt": timestamp}))

    assert response.status_code == 200
    assert Delivery.objects.get().event == Delivery.Event.BOUNCED


def test_a_report_that_cannot_be_stored_is_answered_with_500_so_that_it_is_repeated(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.subscriber(email=ADA)

    def fail(*args: object, **kwargs: object) -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(reports, "store_report", fail)
        first = post(client, "postmark", json.dumps(BOUNCES["postmark"]))
    second = post(client, "postmark", json.dumps(BOUNCES["postmark"]))

    assert (first.status_code, second.status_code) == (500, 200)
    assert Subscriber.objects.get().status == Subscriber.Status.LEFT


@pytest.mark.parametrize("error", [DatabaseError("gone"), KeyError("a bug"), ValueError("a bug")])
def test_the_sweep_applies_a_stored_report_that_failed(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    factories.subscriber(email=ADA)

    def fail(event: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(receivers, "deliveries_for_event", fail)
        response = post(client, "postmark", json.dumps(BOUNCES["postmark"]))
    assert (response.status_code, Subscriber.objects.get().status) == (200, "active")

    with time_machine.travel(factories.NOW + processing.MIN_RETRY_DELAY, tick=False):
        tasks.sweep_reports.delay()

    assert Subscriber.objects.get().status == Subscriber.Status.LEFT


def test_without_a_broker_the_sweep_applies_a_report(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.subscriber(email=ADA)

    def fail(report_id: int) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.work_through_report, "delay", fail)
    assert post(client, "postmark", json.dumps(BOUNCES["postmark"])).status_code == 200
    assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE

    with time_machine.travel(factories.NOW + reports.TASK_GRACE_PERIOD, tick=False):
        call_command("dispatch")

    assert Subscriber.objects.get().status == Subscriber.Status.LEFT


@pytest.mark.parametrize("event_count", [1, 50])
def test_a_request_is_answered_after_one_insert(
    client: Client, monkeypatch: pytest.MonkeyPatch, event_count: int
) -> None:
    monkeypatch.setattr(tasks.work_through_report, "delay", lambda report_id: None)
    body = json.dumps(
        [BOUNCES["sendgrid"][0] | {"sg_event_id": str(n)} for n in range(event_count)]
    )

    with CaptureQueriesContext(connection) as queries:
        assert post(client, "sendgrid", body).status_code == 200

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert [statement.split()[0] for statement in statements] == ["INSERT"]


def test_a_body_that_is_too_large_is_refused(client: Client, settings: Any) -> None:
    body = json.dumps([*BOUNCES["sendgrid"], " " * settings.DATA_UPLOAD_MAX_MEMORY_SIZE])

    assert post(client, "sendgrid", body).status_code == 413


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_an_inbound_domain_the_webhook_for_mail_does_not_exist(
    client: Client, provider: str
) -> None:
    assert client.post(f"/webhooks/{provider}/inbound/").status_code == 404


@pytest.mark.parametrize("address", ["nobody/tracking/", "postmark/", ""])
def test_other_addresses_do_not_exist(client: Client, address: str) -> None:
    assert client.post(f"/webhooks/{address}").status_code == 404
    with pytest.raises(Resolver404):
        resolve(f"/webhooks/{address}")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_webhook_answers_head_but_not_get(client: Client, provider: str) -> None:
    """Some providers send HEAD when the webhook is set up."""
    assert client.head(f"/webhooks/{provider}/tracking/").status_code == 200
    assert client.get(f"/webhooks/{provider}/tracking/").status_code == 405


def test_addresses_url_names_and_views_are_those_of_anymail() -> None:
    from anymail import urls as anymail_urls  # noqa: PLC0415 -- imports every provider's library

    assert {(str(url.pattern), url.name) for url in webhooks.urlpatterns} == {
        (str(url.pattern), url.name) for url in anymail_urls.urlpatterns
    }
    assert {
        f"{parsing.view_class(name).__module__}.{parsing.view_class(name).__name__}"
        for name in parsing.VIEW_CLASSES
    } == {
        f"{url.callback.view_class.__module__}.{url.callback.view_class.__name__}"
        for url in anymail_urls.urlpatterns
    }


def test_start_up_imports_no_view_of_anymail() -> None:
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'newsletter.settings';"
        " django.setup(); import newsletter.urls;"
        " print([name for name in sys.modules if name.startswith(('anymail.webhooks', 'svix'))])"
    )

    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )

    assert process.stdout == "[]\n"


CONFIRMATION = {"Type": "SubscriptionConfirmation"}


@pytest.fixture
def _amazon_is_unreachable(settings: Any) -> None:
    pytest.importorskip("boto3")
    settings.ANYMAIL = ANYMAIL_SETTINGS | {
        "AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": True,
        "AMAZON_SES_CLIENT_PARAMS": {
            "aws_access_key_id": "key",
            "aws_secret_access_key": "secret",
            "endpoint_url": "http://127.0.0.1:9",  # nothing listens there
        },
    }


@pytest.mark.usefixtures("_amazon_is_unreachable")
def test_a_subscription_that_cannot_be_confirmed_now_is_answered_with_503(client: Client) -> None:
    assert post(client, "amazon_ses", json.dumps(CONFIRMATION)).status_code == 503


def post_unsigned(client: Client, message: dict[str, Any]) -> int:
    """Post a message as it is, with the password; return the status."""
    raw = json.dumps(message).encode()
    headers = {"Authorization": BASIC_AUTH} | sns_headers(raw)
    address = "/webhooks/amazon_ses/tracking/"
    return client.post(address, raw, content_type="application/json", headers=headers).status_code


@pytest.mark.usefixtures("_amazon_is_unreachable")
@pytest.mark.parametrize("change", [{"Signature": "AAAA"}, {"Token": "another"}])
def test_a_subscription_without_a_valid_signature_is_not_confirmed(
    client: Client, change: dict[str, str]
) -> None:
    """Amazon is not called: that would be answered with 503."""
    assert post_unsigned(client, sns_factory.sign_message(CONFIRMATION) | change) == 400


@pytest.mark.parametrize("change", [{}, {"Signature": "AAAA"}, {"SigningCertURL": "https://x.y/z"}])
def test_a_notification_with_the_password_but_no_valid_signature_is_refused(
    client: Client, change: dict[str, str]
) -> None:
    factories.subscriber(email=ADA)
    before = state()
    message = BOUNCES["amazon_ses"] | {"TopicArn": "t", "Timestamp": "t"}
    forged = (
        sns_factory.sign_message(message) | change | {"Message": json.dumps(SES_BOUNCE | {"x": 1})}
    )

    assert post_unsigned(client, forged if change else message) == 400
    assert state() == before


def test_without_amazon_s_certificate_a_notification_is_answered_with_503(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(sns, "fetch_certificate", fail_to_fetch)

    assert post_unsigned(client, sns_factory.sign_message(BOUNCES["amazon_ses"])) == 503


def fail_to_fetch(url: str) -> bytes:
    raise sns.CertificateUnavailableError("unreachable")


# Recorded requests, byte for byte.

# Requests whose status differs from that of Anymail alone: the status and the reason.
INBOUND_MAIL = "incoming mail, sent to the wrong webhook: Anymail answered 500"
STATUS_EXCEPTIONS = {
    "amazon_ses/anymail-05-incorrect_received_event": (400, INBOUND_MAIL),
    "amazon_ses/anymail-13-sns_subscription_confirmation_auth_disabled": (200, "we have a secret"),
    "amazon_ses/anymail-14-sns_subscription_confirmation_failure": (200, "Amazon is not called"),
    "amazon_ses/keila-subscription.signed": (401, "recorded without its headers"),
    "brevo/anymail-09-misconfigured_inbound": (400, INBOUND_MAIL),
    "mailersend/anymail-04-misconfigured_inbound": (400, INBOUND_MAIL),
    "mailersend/anymail-20-inbound_secret_is_different-sec": (400, "signed with another key"),
    "mailersend/anymail-21-requires_signing_secret-sec": (200, "we have a key"),
    "mailgun/anymail-10-misconfigured_inbound": (400, INBOUND_MAIL),
    "mailgun/anymail-33-defaults_webhook_signing_to_api_key-sec": (400, "signed with another key"),
    "mailgun/anymail-34-requires_webhook_signing_key-sec": (200, "we have a key"),
    "postmark/anymail-05-misconfigured_inbound": (400, INBOUND_MAIL),
    "postmark/anymail-06-misconfigured_inbound": (400, INBOUND_MAIL),
    "resend/anymail-12-verifies_bad_signature-sec": (200, "no key: the password counts"),
    "resend/anymail-16-verifies_missing_signature-sec": (200, "no key: the password counts"),
    "sendgrid/anymail-12-invalid_timestamp_and_invalid_signature_with_http_auth-sec": (
        200,
        "no key: the password counts",
    ),
    "sendgrid/anymail-13-missing_timestamp_and_missing_signature_with_http_auth-sec": (
        200,
        "no key: the password counts",
    ),
    "sendgrid/anymail-24-successful_signature_check_without_http_auth-sec": (
        400,
        "without a password, and no key",
    ),
}
# Recorded as malformed, but valid: the reason.
UNKNOWN_EVENT = "an unknown type of event, which is ignored: providers add new ones"
VALID_AFTER_ALL = {
    "amazon_ses-no-recipient": "also names its recipient elsewhere",
    "mailersend-no-recipient": "names no message either: a test of the webhook",
    "mailjet-wrong-toplevel": "a single event or several: both are documented",
    "sparkpost-no-recipient": "also names its recipient elsewhere",
} | {
    f"{provider}-unknown-event": UNKNOWN_EVENT
    for provider in (
        "mailersend",
        "mailgun",
        "mailjet",
        "mailtrap",
        "postmark",
        "resend",
        "sendgrid",
        "sparkpost",
    )
}


def recorded_requests(pattern: str) -> dict[str, dict[str, Any]]:
    return {
        f"{path.parent.name}/{path.stem}": json.loads(path.read_text())
        for path in sorted(RECORDED.glob(pattern))
    }


def replay(client: Client, request: dict[str, Any]) -> int:
    headers = {
        name: base64.b64decode(value["__bytes__"]).decode()
        if isinstance(value, dict)
        else str(value)
        for name, value in request.get("headers", {}).items()
    }
    body = request["body"].encode()
    if request["provider"] == "amazon_ses" and headers:
        body = sns_factory.sign_body(body)  # the recorded signatures are only examples
    return client.post(
        f"/webhooks/{request['provider']}/tracking/",
        body,
        content_type=request["content_type"],
        headers=headers,
    ).status_code


@recorded_only
@pytest.mark.parametrize("provider", PROVIDERS)
def test_recorded_requests_get_the_expected_status(
    client: Client, provider: str, subtests: pytest.Subtests
) -> None:
    for name, request in recorded_requests(f"{provider}/*.json").items():
        exception = STATUS_EXCEPTIONS.get(name)
        with subtests.test(name):
            expected = exception[0] if exception else request["anymail_http_status"]
            assert replay(client, request) == expected


def create_recipients(requests: list[dict[str, Any]]) -> None:
    """Create the readers and deliveries that recorded requests are about."""
    events = [event for request in requests for event in request.get("expected_events", [])]
    confirmed_at = datetime(2010, 1, 1, tzinfo=UTC)
    for email in sorted({event["recipient"] or ADA for event in events}):
        factories.subscriber(email=email, confirmed_at=confirmed_at)
    edition = factories.edition()
    for number, message_id in enumerate(sorted({event["message_id"] or "m" for event in events})):
        factories.delivery(
            edition=edition,
            subscriber=factories.subscriber(email=f"{number}@example.net"),
            state=Delivery.State.UNKNOWN,
            batch=factories.batch(edition=edition),
            attempted_at=factories.NOW,
            message_id=message_id,
        )


def outcome(client: Client, requests: list[dict[str, Any]]) -> list[Any]:
    """Return the final state after these requests, and roll it back."""
    with transaction.atomic():
        create_recipients(requests)
        for request in requests:
            replay(client, request)
        final_state = [
            sorted(Subscriber.objects.values_list("email", "status", "left_reason")),
            sorted(Suppression.objects.values_list("address_hash", "reason")),
            sorted(Delivery.objects.values_list("message_id", "state", "event", "error")),
            sorted(SoftBounce.objects.values_list("subscriber__email", "message", "happened_at")),
            sorted(
                ProviderEvent.objects.exclude(state="duplicate").values_list("key", "kind", "state")
            ),
        ]
        transaction.set_rollback(True)
    return final_state


@recorded_only
def test_recorded_requests_have_the_same_result_repeated_and_in_any_order(client: Client) -> None:
    requests = list(recorded_requests("[a-z]*/*.json").values())
    shuffled_and_doubled = random.Random(0).sample(requests * 2, len(requests) * 2)

    expected = outcome(client, requests)

    assert {state for _, state, *_ in expected[2]} == {"unknown", "handed_over", "failed"}
    assert {reason for _, _, reason in expected[0]} >= {"bounced", "complained", "unsubscribed"}
    assert outcome(client, requests[::-1]) == expected
    assert outcome(client, shuffled_and_doubled) == expected


@recorded_only
@pytest.mark.parametrize("has_password", [True, False])
def test_recorded_malformed_requests_change_nothing(client: Client, *, has_password: bool) -> None:
    create_recipients(list(recorded_requests("[a-z]*/*.json").values()))
    before = state()

    accepted = set()
    for path, request in recorded_requests("_malformed/*.json").items():
        headers = {} if has_password else {"Authorization": ""}
        response = post(client, request["provider"], request["body"], **headers)
        name = path.removeprefix("_malformed/")
        if response.status_code == 200:
            accepted.add(name)
            before = state()
        else:
            assert 400 <= response.status_code < 500, name
            assert state() == before, name

    assert accepted == (set(VALID_AFTER_ALL) if has_password else set())
