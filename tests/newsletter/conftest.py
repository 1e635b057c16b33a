"""Mail providers on this machine: a folder, and a server that imitates Postmark."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response


@pytest.fixture
def mailbox_dir(settings: Any, tmp_path: Path) -> Path:
    """Send mail to a folder, as on a fresh checkout; return the folder."""
    settings.EMAIL_PROVIDER = "file"
    settings.EMAIL_BACKEND = "newsletter.delivery.mailbox.EmailBackend"
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    return tmp_path / "mailbox"


@dataclass
class FakeProvider:
    """Postmark's API for sending one message a call."""

    # Called with a message before it is accepted; may return a response instead, or raise.
    before_accept: Callable[[dict[str, Any]], Response | None] = lambda message: None
    accepted: list[dict[str, Any]] = field(default_factory=list)
    call_count: int = 0
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def recipients(self) -> list[str]:
        return [message["To"] for message in self.accepted]

    def handle_request(self, request: Request) -> Response:
        self.call_count += 1
        message = json.loads(request.get_data())
        try:
            if (response := self.before_accept(message)) is not None:
                return response
        finally:
            connection.close()  # this is the server's own thread
        self.accepted.append(message)
        accepted = {
            "To": message["To"],
            "MessageID": f"postmark-{next(self._ids)}",
            "ErrorCode": 0,
            "Message": "OK",
        }
        return Response(json.dumps(accepted), content_type="application/json")


@pytest.fixture
def provider(settings: Any, httpserver: HTTPServer) -> FakeProvider:
    """Send mail through Anymail to a fake provider at 127.0.0.1; return the provider."""
    fake = FakeProvider()
    httpserver.expect_request("/email").respond_with_handler(fake.handle_request)
    settings.EMAIL_PROVIDER = "postmark"
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": httpserver.url_for("/"),
        "REQUESTS_TIMEOUT": (1, 1),
    }
    return fake


def refuse_with(
    status: int, *, code: int = 0, error_message: str = "No.", **headers: str
) -> Callable[[Any], Response]:
    """Return a `before_accept` that refuses every message with this response."""
    body = json.dumps({"ErrorCode": code, "Message": error_message})
    fields = {name.replace("_", "-"): value for name, value in headers.items()}

    def refuse(message: dict[str, Any]) -> Response:
        return Response(body, status=status, headers=fields, content_type="application/json")

    return refuse
