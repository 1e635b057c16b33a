"""newsletter/webhooks.py"""

from __future__ import annotations

import base64
import hashlib
import hmac
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

pytestmark = [
    pytest.mark.django_db,
    # Anymail says so at every request; a warning is an error here.
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

RECORDED = Path(project.BASE_DIR).parent / "shared" / "data" / "webhooks"
recorded_only = pytest.mark.skipif(
    not RECORDED.exists(), reason="the recorded webhooks are not on this machine"
)

WHEN = factories.NOW.timestamp()
ADA = "ada@example.org"
# The credentials and keys with which the recorded requests were made.
KEYS = {
    "WEBHOOK_SECRET": ["username:password", "cred1:pass1"],
    "MAILERSEND_SIGNING_SECRET": "TEST_WEBHOOK_SIGNING_SECRET",
    "MAILGUN_WEBHOOK_SIGNING_KEY": "TEST_WEBHOOK_SIGNING_KEY",
    "AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": False,
}
BASIC = "Basic " + base64.b64encode(b"username:password").decode()


@pytest.fixture(autouse=True)
def _now_and_keys(settings: Any) -> Iterator[None]:
    settings.ANYMAIL = KEYS
    sns_factory.cache_certificate()
    with time_machine.travel(factories.NOW, tick=False):
        yield
    cache.clear()


@pytest.fixture
def client() -> Client:
    """An error is what the provider sees: a 500."""
    return Client(raise_request_exception=False)


def post(client: Client, provider: str, body: str | bytes, **headers: str) -> Any:
    """With the credentials of the address, and signed where the provider signs."""
    raw = body.encode() if isinstance(body, str) else body
    if provider == "mailersend":
        secret = KEYS["MAILERSEND_SIGNING_SECRET"]
        headers["Signature"] = sign(secret, raw)
    if provider == "amazon_ses":
        raw = sns_factory.sign_body(raw)
        headers |= sns_headers(raw)
    return client.post(
        f"/webhooks/{provider}/tracking/",
        raw,
        content_type="application/json",
        headers={"Authorization": BASIC} | headers,
    )


def sign(secret: Any, message: bytes) -> str:
    return hmac.new(str(secret).encode(), message, hashlib.sha256).hexdigest()


def sns_headers(raw: bytes) -> dict[str, str]:
    try:
        envelope = json.loads(raw)
        return {
            "X-Amz-Sns-Message-Type": envelope["Type"],
            "X-Amz-Sns-Message-Id": envelope["MessageId"],
        }
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}


def state() -> list[Any]:
    """All that a report can change."""
    return [
        sorted(Subscriber.objects.values_list("email", "status", "left_reason")),
        sorted(Suppression.objects.values_list("address_hash", "reason")),
        sorted(Delivery.objects.values_list("pk", "state", "event")),
        sorted(SoftBounce.objects.values_list("subscriber__email", "message")),
        sorted(ProviderReport.objects.values_list("digest", flat=True)),
    ]


# Own samples, one a provider: an address that does not exist, as its documentation has it.
MAILGUN_SIGNATURE = {
    "token": "t",
    "timestamp": "1",
    "signature": sign(KEYS["MAILGUN_WEBHOOK_SIGNING_KEY"], b"1t"),
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
            "timestamp": WHEN,
        },
    },
    "mailjet": [{"event": "bounce", "email": ADA, "hard_bounce": True, "error": "user unknown"}],
    "mailtrap": {
        "events": [{"event": "bounce", "email": ADA, "timestamp": WHEN, "message_id": "m"}],
    },
    "postmark": {"RecordType": "Bounce", "Type": "HardBounce", "Email": ADA, "MessageID": "m"},
    "resend": {
        "type": "email.bounced",
        "data": {"email_id": "m", "to": [ADA], "bounce": {"type": "Permanent"}},
    },
    "sendgrid": [{"event": "bounce", "type": "bounce", "email": ADA, "timestamp": WHEN}],
    "sparkpost": [{"msys": {"message_event": {"type": "bounce", "bounce_class": "10",
                                              "raw_rcpt_to": ADA, "message_id": "m"}}}],
}  # fmt: skip
PROVIDERS = sorted(BOUNCES)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_bounce_is_heeded_once_however_often_it_comes(client: Client, provider: str) -> None:
    factories.subscriber(email=ADA)
    body = json.dumps(BOUNCES[provider])

    answers = [post(client, provider, body).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert Subscriber.objects.get().status == Subscriber.Status.LEFT
    assert [row.reason for row in Suppression.objects.all()] == ["bounced"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !", "Bearer x", "Basic " + base64.b64encode(b"a:\xff").decode()],
)
def test_without_the_credentials_nothing_changes(
    client: Client, provider: str, authorization: str
) -> None:
    factories.subscriber(email=ADA)
    before = state()

    answer = post(client, provider, json.dumps(BOUNCES[provider]), Authorization=authorization)

    assert 400 <= answer.status_code < 500
    assert state() == before


@pytest.mark.parametrize("provider", ["mailersend", "mailgun", "mandrill", "amazon_ses"])
def test_a_provider_whose_key_is_not_set_is_closed(
    client: Client, settings: Any, provider: str
) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "username:another-password"}

    answer = post(client, provider, json.dumps(BOUNCES.get(provider, {})))

    assert 400 <= answer.status_code < 500


def mangled(provider: str) -> dict[str, bytes]:
    whole = json.dumps(BOUNCES[provider]).encode()
    nested = b"[" * 100_000
    return {
        "empty": b"",
        "truncated": whole[: len(whole) * 2 // 3],
        "not UTF-8": whole.replace(ADA.encode(), b"\xff\xfe"),
        "null": b"null",
        "a number": b"7",
        "a string": b'"event"',
        "the other top level": whole[1:-1] if whole[:1] == b"[" else b"[" + whole + b"]",
        "a list of lists": b"[[]]",
        "a list of nothing": b"[null]",
        "nested": nested,
    }


MANGLED = {(provider, how) for provider in PROVIDERS for how in mangled(provider)}
# A single event or several: Mailjet writes both.
MANGLED.remove(("mailjet", "the other top level"))


@pytest.mark.parametrize(("provider", "how"), sorted(MANGLED))
def test_what_cannot_be_read_is_refused(
    client: Client, provider: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    factories.subscriber(email=ADA)
    before = state()

    with caplog.at_level(logging.INFO, logger="newsletter"):
        answer = post(client, provider, mangled(provider)[how])

    assert 400 <= answer.status_code < 500
    assert len(answer.content) < 100
    assert ADA not in answer.content.decode() + caplog.text
    assert state() == before


def without_recipient(value: Any) -> Any:
    """The same, with no address anywhere."""
    if isinstance(value, dict):
        return {key: without_recipient(each) for key, each in value.items() if each != ADA}
    if isinstance(value, list):
        return [without_recipient(each) for each in value if each != ADA]
    return value


@pytest.mark.parametrize("provider", [each for each in PROVIDERS if each != "amazon_ses"])
def test_a_bounce_of_nobody_is_refused(client: Client, provider: str) -> None:
    factories.subscriber(email=ADA)
    before = state()

    answer = post(client, provider, json.dumps(without_recipient(BOUNCES[provider])))

    assert answer.status_code == 400
    assert state() == before


def test_one_that_is_cut_short_does_not_cost_the_others(client: Client) -> None:
    factories.subscriber(email=ADA)
    cut = {"event": "bounce", "timestamp": WHEN, "sg_message_id": "m"}

    answer = post(client, "sendgrid", json.dumps([cut, *BOUNCES["sendgrid"]]))

    assert answer.status_code == 200
    assert Subscriber.objects.get().status == Subscriber.Status.LEFT


@pytest.mark.parametrize("odd", ["\ud800", "\x00", "\r\nBcc: eve@example.org", "x" * 70_000])
@pytest.mark.parametrize("field", ["Email", "MessageID", "Metadata", "Description", "DeliveredAt"])
def test_odd_text_in_any_place_is_no_failure_of_ours(client: Client, field: str, odd: str) -> None:
    factories.subscriber(email=ADA)
    value: Any = (
        {"subscriber": odd, "delivery": odd, "edition": odd} if field == "Metadata" else odd
    )

    answer = post(client, "postmark", json.dumps(BOUNCES["postmark"] | {field: value}))

    assert answer.status_code < 500


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_impossible_moment_is_no_failure_of_ours(client: Client, moment: str) -> None:
    edition = factories.edition()
    factories.delivery(
        edition=edition,
        subscriber=factories.subscriber(email=ADA),
        state=Delivery.State.HANDED_OVER,
        attempted_at=factories.NOW,
        message_id="m",
    )

    answer = post(client, "postmark", json.dumps(BOUNCES["postmark"] | {"BouncedAt": moment}))

    assert answer.status_code == 200
    assert Delivery.objects.get().event == Delivery.Event.BOUNCED


def test_what_cannot_be_stored_is_5xx_so_that_it_comes_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.subscriber(email=ADA)

    def fail(*args: object, **kwargs: object) -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(reports, "store_report", fail)
        first = post(client, "postmark", json.dumps(BOUNCES["postmark"]))
    again = post(client, "postmark", json.dumps(BOUNCES["postmark"]))

    assert (first.status_code, again.status_code) == (500, 200)
    assert Subscriber.objects.get().status == Subscriber.Status.LEFT


@pytest.mark.parametrize("error", [DatabaseError("gone"), KeyError("a bug"), ValueError("a bug")])
def test_what_fails_after_storing_is_done_by_the_sweep(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    factories.subscriber(email=ADA)

    def fail(event: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(receivers, "deliveries_for_event", fail)
        answer = post(client, "postmark", json.dumps(BOUNCES["postmark"]))
    assert (answer.status_code, Subscriber.objects.get().status) == (200, "active")

    with time_machine.travel(factories.NOW + processing.MIN_RETRY_DELAY, tick=False):
        tasks.sweep_reports.delay()

    assert Subscriber.objects.get().status == Subscriber.Status.LEFT


def test_without_a_broker_the_sweep_does_it(
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


@pytest.mark.parametrize("events", [1, 50])
def test_a_request_is_answered_after_one_insert(
    client: Client, monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    monkeypatch.setattr(tasks.work_through_report, "delay", lambda report_id: None)
    body = json.dumps([BOUNCES["sendgrid"][0] | {"sg_event_id": str(n)} for n in range(events)])

    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert post(client, "sendgrid", body).status_code == 200

    assert [each["sql"].split()[0] for each in queries if "SAVEPOINT" not in each["sql"]] == [
        "INSERT"
    ]


def test_too_large_a_body_is_refused(client: Client, settings: Any) -> None:
    body = json.dumps([*BOUNCES["sendgrid"], " " * settings.DATA_UPLOAD_MAX_MEMORY_SIZE])

    assert post(client, "sendgrid", body).status_code == 413


@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_a_domain_for_mail_none_is_taken(client: Client, provider: str) -> None:
    assert client.post(f"/webhooks/{provider}/inbound/").status_code == 404


@pytest.mark.parametrize("address", ["nobody/tracking/", "postmark/", ""])
def test_other_addresses_are_not_there(client: Client, address: str) -> None:
    assert client.post(f"/webhooks/{address}").status_code == 404
    with pytest.raises(Resolver404):
        resolve(f"/webhooks/{address}")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_looking_changes_nothing(client: Client, provider: str) -> None:
    """Some providers send a HEAD when the address is entered."""
    assert client.head(f"/webhooks/{provider}/tracking/").status_code == 200
    assert client.get(f"/webhooks/{provider}/tracking/").status_code == 405


def test_the_addresses_are_anymails_own_and_each_view_is_loaded_when_it_is_called():
    from anymail import urls as anymail_urls  # noqa: PLC0415 -- imports every provider's library

    assert {(str(each.pattern), each.name) for each in webhooks.urlpatterns} == {
        (str(each.pattern), each.name) for each in anymail_urls.urlpatterns
    }
    assert {
        f"{parsing.view_class(name).__module__}.{parsing.view_class(name).__name__}"
        for name in parsing.VIEW_CLASSES
    } == {
        f"{each.callback.view_class.__module__}.{each.callback.view_class.__name__}"
        for each in anymail_urls.urlpatterns
    }


def test_starting_up_imports_no_view_of_a_provider():
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'newsletter.settings';"
        " django.setup(); import newsletter.urls;"
        " print([name for name in sys.modules if name.startswith(('anymail.webhooks', 'svix'))])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"


CONFIRMATION = {"Type": "SubscriptionConfirmation"}


@pytest.fixture
def _amazon_that_is_away(settings: Any) -> None:
    pytest.importorskip("boto3")
    settings.ANYMAIL = KEYS | {
        "AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": True,
        "AMAZON_SES_CLIENT_PARAMS": {
            "aws_access_key_id": "key",
            "aws_secret_access_key": "secret",
            "endpoint_url": "http://127.0.0.1:9",  # the port of nobody
        },
    }


@pytest.mark.usefixtures("_amazon_that_is_away")
def test_a_subscription_that_amazon_does_not_confirm_is_asked_for_again(client: Client) -> None:
    assert post(client, "amazon_ses", json.dumps(CONFIRMATION)).status_code == 503


def unsealed(client: Client, message: dict[str, Any]) -> int:
    """Posted as it is, with the password."""
    raw = json.dumps(message).encode()
    headers = {"Authorization": BASIC} | sns_headers(raw)
    address = "/webhooks/amazon_ses/tracking/"
    return client.post(address, raw, content_type="application/json", headers=headers).status_code


@pytest.mark.usefixtures("_amazon_that_is_away")
@pytest.mark.parametrize("change", [{"Signature": "AAAA"}, {"Token": "another"}])
def test_a_subscription_that_amazon_did_not_sign_is_not_confirmed(
    client: Client, change: dict[str, str]
) -> None:
    """Nobody is even asked: that would be the 503 above."""
    assert unsealed(client, sns_factory.sign_message(CONFIRMATION) | change) == 400


@pytest.mark.parametrize("change", [{}, {"Signature": "AAAA"}, {"SigningCertURL": "https://x.y/z"}])
def test_a_password_alone_does_not_make_a_notification_amazon_s(
    client: Client, change: dict[str, str]
) -> None:
    factories.subscriber(email=ADA)
    before = state()
    message = BOUNCES["amazon_ses"] | {"TopicArn": "t", "Timestamp": "t"}
    forged = (
        sns_factory.sign_message(message) | change | {"Message": json.dumps(SES_BOUNCE | {"x": 1})}
    )

    assert unsealed(client, forged if change else message) == 400
    assert state() == before


def test_while_amazon_s_certificate_cannot_be_had_the_answer_is_later(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(sns, "fetch_certificate", away)

    assert unsealed(client, sns_factory.sign_message(BOUNCES["amazon_ses"])) == 503


def away(url: str) -> bytes:
    raise sns.CertificateUnavailableError("away")


# The recorded requests, byte for byte.

# Not answered as by Anymail alone, for a reason.
INCOMING = "incoming mail, which has another address: Anymail answered 500"
OTHERWISE = {
    "amazon_ses/anymail-05-incorrect_received_event": (400, INCOMING),
    "amazon_ses/anymail-13-sns_subscription_confirmation_auth_disabled": (200, "we have a secret"),
    "amazon_ses/anymail-14-sns_subscription_confirmation_failure": (200, "Amazon is not asked"),
    "amazon_ses/keila-subscription.signed": (401, "recorded without its headers"),
    "brevo/anymail-09-misconfigured_inbound": (400, INCOMING),
    "mailersend/anymail-04-misconfigured_inbound": (400, INCOMING),
    "mailersend/anymail-20-inbound_secret_is_different-sec": (400, "signed with another key"),
    "mailersend/anymail-21-requires_signing_secret-sec": (200, "we have a key"),
    "mailgun/anymail-10-misconfigured_inbound": (400, INCOMING),
    "mailgun/anymail-33-defaults_webhook_signing_to_api_key-sec": (400, "signed with another key"),
    "mailgun/anymail-34-requires_webhook_signing_key-sec": (200, "we have a key"),
    "postmark/anymail-05-misconfigured_inbound": (400, INCOMING),
    "postmark/anymail-06-misconfigured_inbound": (400, INCOMING),
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
# Filed as malformed, and yet a report that can be read.
NEW = "a kind of event that we do not know: providers add some, and it is passed over"
READABLE_ALL_THE_SAME = {
    "amazon_ses-no-recipient": "names its recipient in another place, too",
    "mailersend-no-recipient": "names no message either: a trial",
    "mailjet-wrong-toplevel": "a single event or several: both are documented",
    "sparkpost-no-recipient": "names its recipient in another place, too",
} | {
    f"{provider}-unknown-event": NEW
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


def recorded(pattern: str) -> dict[str, dict[str, Any]]:
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
        body = sns_factory.sign_body(
            body
        )  # the recorded ones have a signature that is only an example
    return client.post(
        f"/webhooks/{request['provider']}/tracking/",
        body,
        content_type=request["content_type"],
        headers=headers,
    ).status_code


@recorded_only
def test_recorded_requests_are_answered_as_they_deserve(client: Client) -> None:
    answers = {name: replay(client, each) for name, each in recorded("[a-z]*/*.json").items()}

    expected = {
        name: OTHERWISE[name][0] if name in OTHERWISE else each["anymail_http_status"]
        for name, each in recorded("[a-z]*/*.json").items()
    }
    assert answers == expected


def everybody(requests: list[dict[str, Any]]) -> None:
    """Whom the recorded requests are about, as readers who were sent what they are about."""
    events = [event for each in requests for event in each.get("expected_events", [])]
    long_ago = datetime(2010, 1, 1, tzinfo=UTC)
    for email in sorted({event["recipient"] or ADA for event in events}):
        factories.subscriber(email=email, confirmed_at=long_ago)
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
    """What is so in the end."""
    with transaction.atomic():
        everybody(requests)
        for each in requests:
            replay(client, each)
        found = [
            sorted(Subscriber.objects.values_list("email", "status", "left_reason")),
            sorted(Suppression.objects.values_list("address_hash", "reason")),
            sorted(Delivery.objects.values_list("message_id", "state", "event", "error")),
            sorted(SoftBounce.objects.values_list("subscriber__email", "message", "happened_at")),
            sorted(
                ProviderEvent.objects.exclude(state="duplicate").values_list("key", "kind", "state")
            ),
        ]
        transaction.set_rollback(True)
    return found


@recorded_only
def test_recorded_requests_end_the_same_doubled_and_in_any_order(client: Client) -> None:
    requests = list(recorded("[a-z]*/*.json").values())

    once = outcome(client, requests)
    again = [outcome(client, requests * 2), outcome(client, requests[::-1])]
    for seed in range(3):
        again.append(outcome(client, random.Random(seed).sample(requests * 2, len(requests) * 2)))

    assert {state for _, state, *_ in once[2]} == {"unknown", "handed_over", "failed"}
    assert {reason for _, _, reason in once[0]} >= {"bounced", "complained", "unsubscribed"}
    for each in again:
        assert each == once


@recorded_only
@pytest.mark.parametrize("password", [True, False])
def test_recorded_malformed_requests_change_nothing(client: Client, *, password: bool) -> None:
    everybody(list(recorded("[a-z]*/*.json").values()))
    before = state()

    taken = set()
    for name, each in recorded("_malformed/*.json").items():
        headers = {} if password else {"Authorization": ""}
        answer = post(client, each["provider"], each["body"], **headers)
        name = name.removeprefix("_malformed/")
        if answer.status_code == 200:
            taken.add(name)
            before = state()
        else:
            assert 400 <= answer.status_code < 500, name
            assert state() == before, name

    assert taken == (set(READABLE_ALL_THE_SAME) if password else set())
