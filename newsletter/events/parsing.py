"""Anymail's reading of what providers send, made to tell the sender's mistakes from our own.

Anymail lets whatever a body holds raise whatever it may, and that would be a 500: a provider takes
it for our failure, sends the same again for days, and then perhaps nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from anymail import urls as anymail_urls
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailError,
    AnymailImproperlyInstalled,
    AnymailWebhookValidationFailure,
)
from anymail.inbound import AnymailInboundMessage
from anymail.signals import (
    AnymailEvent,
    AnymailInboundEvent,
    AnymailTrackingEvent,
    EventType,
)
from anymail.webhooks.base import AnymailCoreWebhookView
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

from newsletter.events import sns

# What reading odd data raises. Anything else (a socket's, a database's error) is not the data's.
UNREADABLE = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MultiPartParserError,
    BadRequest,
    SuspiciousOperation,
    AnymailError,
)
# Of these the address is the point.
ABOUT_AN_ADDRESS = {
    EventType.BOUNCED,
    EventType.COMPLAINED,
    EventType.DEFERRED,
    EventType.FAILED,
    EventType.REJECTED,
}


class Malformed(Exception):
    """The request cannot be read, and will not get better by being sent again."""


class TryAgain(Exception):
    """To read it, somebody else must be asked, who does not answer: Amazon, of a subscription."""


class Careful(AnymailCoreWebhookView):
    """Anymail's reading of a request, told apart from what our receivers make of it."""

    def run_validators(self, request: HttpRequest) -> None:
        try:
            super().run_validators(request)
        except (AnymailWebhookValidationFailure, RequestDataTooBig):
            raise
        except UNREADABLE as error:
            raise Malformed(type(error).__name__) from error

    def parse_events(self, request: HttpRequest) -> list[AnymailEvent]:
        try:
            events = [event for event in super().parse_events(request) if event is not None]
        except (AnymailWebhookValidationFailure, AnymailImproperlyInstalled, RequestDataTooBig):
            raise
        except AnymailConfigurationError as error:
            # Incoming mail, sent to the wrong address: Anymail's words tell the operator so.
            raise Malformed(str(error)) from error
        except UNREADABLE as error:
            raise Malformed(type(error).__name__) from error
        except Exception as error:
            raise TryAgain(type(error).__name__) from error
        complete = [event for event in events if not is_cut_short(event)]
        if events and not complete:
            raise Malformed("no recipient")
        return complete


class Signed(Careful):
    """Amazon's notifications: Anymail does not look at their signatures, and we do."""

    def run_validators(self, request: HttpRequest) -> None:
        super().run_validators(request)
        try:
            sns.verify(json.loads(request.body))
        except sns.Forged as error:
            raise AnymailWebhookValidationFailure(str(error)) from error
        except sns.Unavailable as error:
            raise TryAgain(str(error)) from error


class Brief(Careful):
    """Incoming mail, of which only the envelope matters here: nothing more of it is fetched."""

    def _fetch_inbound_email(self, email_id: str) -> AnymailInboundMessage:
        return AnymailInboundMessage()

    def _fetch_attachment(self, attachment: Any) -> AnymailInboundMessage:
        return AnymailInboundMessage.construct_attachment("text/plain", "")


def is_cut_short(event: AnymailEvent) -> bool:
    """It tells of a message or of an address, and not whose.

    One that tells of neither is a provider's trial of this webhook. An unsubscription is
    also found by our metadata.
    """
    if isinstance(event, AnymailInboundEvent):
        return False
    if event.recipient or event.event_type == EventType.UNSUBSCRIBED:
        return False
    return bool(event.message_id) or event.event_type in ABOUT_AN_ADDRESS


def name_of(pattern_name: str) -> str:
    """postmark for postmark_tracking_webhook, postmark_inbound for the other one."""
    return pattern_name.removesuffix("_webhook").removesuffix("_tracking")


def made_careful(name: str, original: type[Any]) -> type[Careful]:
    kind = (
        Signed if name.startswith("amazon_ses") else Brief if name.endswith("inbound") else Careful
    )
    return type(original.__name__, (kind, original), {})


# Anymail's view of each provider, by the provider's name; Mandrill's is for both kinds.
VIEWS: dict[str, type[Any]] = {
    name_of(pattern.name): made_careful(name_of(pattern.name), pattern.callback.view_class)
    for pattern in anymail_urls.urlpatterns
}


def read_again(
    name: str, *, body: bytes, content_type: str, headers: Mapping[str, str]
) -> list[AnymailTrackingEvent]:
    """The events of a request that was taken once; its credentials were looked at then."""
    environ = {f"HTTP_{key.upper().replace('-', '_')}": value for key, value in headers.items()}
    request = WSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            **environ,
        }
    )
    return VIEWS[name]().parse_events(request)
