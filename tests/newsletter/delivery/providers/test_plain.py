"""newsletter/delivery/providers/plain.py"""

from __future__ import annotations

import base64
import json
import pkgutil
import re
import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import anymail.backends
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core.mail import EmailMultiAlternatives
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.delivery import providers
from subscribers.mail import message as mail_message
from subscribers.mail.outcomes import OutcomeKind
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    # Anymail cannot test SendGrid any more, and says so; it still works with this fake.
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning"),
]

KEY = uuid4()
TO = "ada@example.org"
ANY_PATH = re.compile(".*")

# What each provider needs to be told, and what it answers when it takes a message.
ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any] | list[Any]]] = {
    "amazon_ses": ({}, {"MessageId": "id"}),
    "brevo": ({"API_KEY": "key"}, {"messageId": "id"}),
    "mailersend": ({"API_TOKEN": "key"}, {}),
    "mailgun": (
        {"API_KEY": "key", "SENDER_DOMAIN": "example.org"},
        {"id": "<id>", "message": "Queued. Thank you."},
    ),
    "mailjet": (
        {"API_KEY": "key", "SECRET_KEY": "secret"},
        {"Messages": [{"Status": "success", "To": [{"Email": TO, "MessageID": 1}]}]},
    ),
    "mailtrap": ({"API_TOKEN": "key"}, {"success": True, "message_ids": ["id"]}),
    "mandrill": ({"API_KEY": "key"}, [{"email": TO, "status": "sent", "_id": "id"}]),
    "postal": ({"API_KEY": "key"}, {"status": "success", "data": {"messages": {TO: {"id": 1}}}}),
    "postmark": (
        {"SERVER_TOKEN": "key"},
        {"To": TO, "MessageID": "id", "ErrorCode": 0, "Message": "OK"},
    ),
    "resend": ({"API_KEY": "key"}, {"id": "id"}),
    "scaleway": (
        {"SECRET_KEY": "key", "PROJECT_ID": "project"},
        {"emails": [{"mail_rcpt": TO, "id": "id", "status": "new"}]},
    ),
    "sendgrid": ({"API_KEY": "key"}, {}),
    "sparkpost": (
        {"API_KEY": "key"},
        {
            "results": {
                "total_accepted_recipients": 1,
                "total_rejected_recipients": 0,
                "id": "id",
            }
        },
    ),
    "unisender_go": ({"API_KEY": "key"}, {"status": "success", "job_id": "id", "emails": [TO]}),
}
NOT_PROVIDERS = {"base", "base_requests", "console", "test", "sendinblue"}


def configure(settings: Any, name: str, url: str) -> None:
    wanted, _ = ANSWERS[name]
    prefix = name.upper()
    settings.EMAIL_PROVIDER = name
    settings.EMAIL_BACKEND = f"anymail.backends.{name}.EmailBackend"
    settings.ANYMAIL = {f"{prefix}_{key}": value for key, value in wanted.items()}
    settings.ANYMAIL |= {f"{prefix}_API_URL": url, "REQUESTS_TIMEOUT": (1, 1)}
    if name == "amazon_ses":
        settings.ANYMAIL["AMAZON_SES_CLIENT_PARAMS"] = {
            "endpoint_url": url,
            "region_name": "eu-west-1",
            "aws_access_key_id": "key",
            "aws_secret_access_key": "secret",
            "config": {"retries": {"total_max_attempts": 1}},
        }


def message() -> EmailMultiAlternatives:
    return mail_message.compose_message(
        factories.subscriber(email=TO),
        kind="digest",
        subject="Erdős and others",
        text="Text",
        html="<p>Text</p>",
        metadata={"edition": "2026-05-12", "delivery": "7"},
    )


def send(found: EmailMultiAlternatives) -> Any:
    with providers.get_provider() as provider:
        [outcome] = provider.send([found], idempotency_key=KEY)
    return outcome


def test_every_provider_of_anymail_is_tried_here() -> None:
    names = {module.name for module in pkgutil.iter_modules(anymail.backends.__path__)}

    assert set(ANSWERS) == names - NOT_PROVIDERS


@pytest.mark.parametrize("name", ANSWERS)
def test_every_provider_takes_a_message_with_the_way_out_in_its_headers(
    name: str, settings: Any, httpserver: HTTPServer
) -> None:
    seen: list[bytes] = []

    def take(request: Request) -> Response:
        seen.append(request.get_data())
        return Response(
            json.dumps(ANSWERS[name][1]),
            content_type="application/json",
            headers={"X-Message-Id": "id"},
        )

    httpserver.expect_request(ANY_PATH).respond_with_handler(take)
    configure(settings, name, httpserver.url_for("/"))

    outcome = send(message())

    assert outcome.kind == OutcomeKind.HANDED_OVER
    assert len(seen) == 1
    assert b"List-Unsubscribe" in readable(seen[0])


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, OutcomeKind.UNSENT), (401, OutcomeKind.UNSENT), (503, OutcomeKind.UNKNOWN)],
)
def test_every_provider_s_troubles_are_understood(
    name: str, status: int, kind: OutcomeKind, settings: Any, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(ANY_PATH).respond_with_data("{}", status=status)
    configure(settings, name, httpserver.url_for("/"))

    outcome = send(message())

    assert outcome.kind == kind
    assert outcome.pause
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("name", ANSWERS)
def test_an_unreachable_provider_has_surely_sent_nothing(name: str, settings: Any) -> None:
    configure(settings, name, "http://127.0.0.1:9/")

    assert send(message()).kind == OutcomeKind.UNSENT


def readable(body: bytes) -> bytes:
    """A request's body; Amazon's holds the whole message in base64."""
    found = re.search(rb'"Data": "([A-Za-z0-9+/=]+)"', body)
    return base64.b64decode(found[1]) if found else body


class Sink:
    """An SMTP server that answers as it is told."""

    def __init__(self, recipient: str = "250 OK", data: str = "250 OK") -> None:
        self.answers = {"recipient": recipient, "data": data}
        self.received: list[bytes] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers["recipient"]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received.append(envelope.original_content or b"")
        return self.answers["data"]


@pytest.fixture
def smtp(settings: Any) -> Any:
    controllers: list[Controller] = []

    def start(sink: Sink) -> Sink:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(sink, hostname="127.0.0.1", port=port)
        controller.start()
        controllers.append(controller)
        settings.EMAIL_PROVIDER = "smtp"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = port
        return sink

    yield start
    for controller in controllers:
        controller.stop()


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({}, OutcomeKind.HANDED_OVER),
        ({"recipient": "550 No such user"}, OutcomeKind.FAILED),
        ({"recipient": "450 Later"}, OutcomeKind.UNSENT),
        ({"data": "554 Refused"}, OutcomeKind.REFUSED),
        ({"data": "451 Later"}, OutcomeKind.UNSENT),
    ],
)
def test_smtp_works_like_any_provider(
    answers: dict[str, str], kind: OutcomeKind, smtp: Callable[[Sink], Sink]
) -> None:
    smtp(Sink(**answers))

    assert send(message()).kind == kind


def test_smtp_carries_the_headers_and_both_bodies(smtp: Callable[[Sink], Sink]) -> None:
    sink = smtp(Sink())

    send(message())

    [content] = sink.received
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in content
    assert content.index(b"text/plain") < content.index(b"text/html")
