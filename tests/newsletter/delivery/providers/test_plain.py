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
    # Anymail warns that it can no longer test SendGrid; its backend still works with this fake.
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning"),
]

KEY = uuid4()
TO = "ada@example.org"
ANY_PATH = re.compile(".*")

# Each provider's settings, and its response when it accepts a message.
PROVIDERS: dict[str, tuple[dict[str, Any], dict[str, Any] | list[Any]]] = {
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
    backend_settings, _ = PROVIDERS[name]
    prefix = name.upper()
    settings.EMAIL_PROVIDER = name
    settings.EMAIL_BACKEND = f"anymail.backends.{name}.EmailBackend"
    settings.ANYMAIL = {f"{prefix}_{key}": value for key, value in backend_settings.items()}
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


def send(message: EmailMultiAlternatives) -> Any:
    with providers.get_provider() as provider:
        [outcome] = provider.send([message], idempotency_key=KEY)
    return outcome


def test_every_provider_of_anymail_is_tested_here() -> None:
    names = {module.name for module in pkgutil.iter_modules(anymail.backends.__path__)}

    assert set(PROVIDERS) == names - NOT_PROVIDERS


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_accepts_a_message_with_its_list_unsubscribe_header(
    name: str, settings: Any, httpserver: HTTPServer
) -> None:
    bodies: list[bytes] = []

    def accept(request: Request) -> Response:
        bodies.append(request.get_data())
        return Response(
            json.dumps(PROVIDERS[name][1]),
            content_type="application/json",
            headers={"X-Message-Id": "id"},
        )

    httpserver.expect_request(ANY_PATH).respond_with_handler(accept)
    configure(settings, name, httpserver.url_for("/"))

    outcome = send(message())

    assert outcome.kind == OutcomeKind.HANDED_OVER
    [body] = bodies
    assert b"List-Unsubscribe" in decode_body(body)


# The other statuses depend on the kind of exception only: one of requests' and Amazon's own. Their
# permutations are in tests/subscribers/mail/test_outcomes.py.
@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        *[(name, 429, OutcomeKind.UNSENT) for name in PROVIDERS],
        *[(name, 401, OutcomeKind.UNSENT) for name in ("postmark", "amazon_ses")],
        *[(name, 503, OutcomeKind.UNKNOWN) for name in ("postmark", "amazon_ses")],
    ],
)
def test_a_provider_s_error_pauses_sending_and_is_not_retried(
    name: str, status: int, kind: OutcomeKind, settings: Any, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(ANY_PATH).respond_with_data("{}", status=status)
    configure(settings, name, httpserver.url_for("/"))

    outcome = send(message())

    assert outcome.kind == kind
    assert outcome.pause
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_unreachable_provider_has_certainly_not_sent_the_message(
    name: str, settings: Any
) -> None:
    configure(settings, name, "http://127.0.0.1:9/")

    assert send(message()).kind == OutcomeKind.UNSENT


def decode_body(body: bytes) -> bytes:
    """A request's body; Amazon's holds the whole message in base64."""
    encoded = re.search(rb'"Data": "([A-Za-z0-9+/=]+)"', body)
    return base64.b64decode(encoded[1]) if encoded else body


class FakeSMTPServer:
    """An SMTP server with fixed responses; keeps the messages it received."""

    def __init__(self, recipient: str = "250 OK", data: str = "250 OK") -> None:
        self.responses = {"recipient": recipient, "data": data}
        self.received: list[bytes] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.responses["recipient"]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received.append(envelope.original_content or b"")
        return self.responses["data"]


@pytest.fixture
def smtp(settings: Any) -> Any:
    controllers: list[Controller] = []

    def start(server: FakeSMTPServer) -> FakeSMTPServer:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(server, hostname="127.0.0.1", port=port)
        controller.start()
        controllers.append(controller)
        settings.EMAIL_PROVIDER = "smtp"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = port
        return server

    yield start
    for controller in controllers:
        controller.stop()


@pytest.mark.parametrize(
    ("responses", "kind"),
    [
        ({}, OutcomeKind.HANDED_OVER),
        ({"recipient": "550 No such user"}, OutcomeKind.FAILED),
        ({"recipient": "450 Later"}, OutcomeKind.UNSENT),
        ({"data": "554 Refused"}, OutcomeKind.REFUSED),
        ({"data": "451 Later"}, OutcomeKind.UNSENT),
    ],
)
def test_an_smtp_response_decides_the_outcome(
    responses: dict[str, str],
    kind: OutcomeKind,
    smtp: Callable[[FakeSMTPServer], FakeSMTPServer],
) -> None:
    smtp(FakeSMTPServer(**responses))

    assert send(message()).kind == kind


def test_smtp_carries_the_headers_and_both_bodies(
    smtp: Callable[[FakeSMTPServer], FakeSMTPServer],
) -> None:
    server = smtp(FakeSMTPServer())

    send(message())

    [content] = server.received
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in content
    assert content.index(b"text/plain") < content.index(b"text/html")
