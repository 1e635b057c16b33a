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
PARSE_ERRORS = (
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
ADDRESS_EVENTS = {
    EventType.BOUNCED,
    EventType.COMPLAINED,
    EventType.DEFERRED,
    EventType.FAILED,
    EventType.REJECTED,
}


class MalformedRequestError(Exception):
    """The request cannot be read, and will not get better by being sent again."""


class TemporaryFailureError(Exception):
    """To read it, somebody else must be asked, who does not answer: Amazon, of a subscription."""


class SafeWebhookView(AnymailCoreWebhookView):
    """Anymail's reading of a request, told apart from what our receivers make of it."""

    def run_validators(self, request: HttpRequest) -> None:
        try:
            super().run_validators(request)
        except (AnymailWebhookValidationFailure, RequestDataTooBig):
            raise
        except PARSE_ERRORS as error:
            raise MalformedRequestError(type(error).__name__) from error

    def parse_events(self, request: HttpRequest) -> list[AnymailEvent]:
        try:
            events = [event for event in super().parse_events(request) if event is not None]
        except (AnymailWebhookValidationFailure, AnymailImproperlyInstalled, RequestDataTooBig):
            raise
        except AnymailConfigurationError as error:
            # Incoming mail, sent to the wrong address: Anymail's words tell the operator so.
            raise MalformedRequestError(str(error)) from error
        except PARSE_ERRORS as error:
            raise MalformedRequestError(type(error).__name__) from error
        except Exception as error:
            raise TemporaryFailureError(type(error).__name__) from error
        complete = [event for event in events if not lacks_recipient(event)]
        if events and not complete:
            raise MalformedRequestError("no recipient")
        return complete


class SignatureVerifiedView(SafeWebhookView):
    """Amazon's notifications: Anymail does not look at their signatures, and we do."""

    def run_validators(self, request: HttpRequest) -> None:
        super().run_validators(request)
        try:
            sns.verify_message(json.loads(request.body))
        except sns.SnsVerificationError as error:
            raise AnymailWebhookValidationFailure(str(error)) from error
        except sns.CertificateUnavailableError as error:
            raise TemporaryFailureError(str(error)) from error


class EnvelopeOnlyInboundView(SafeWebhookView):
    """Incoming mail, of which only the envelope matters here: nothing more of it is fetched."""

    def _fetch_inbound_email(self, email_id: str) -> AnymailInboundMessage:
        return AnymailInboundMessage()

    def _fetch_attachment(self, attachment: Any) -> AnymailInboundMessage:
        return AnymailInboundMessage.construct_attachment("text/plain", "")


def lacks_recipient(event: AnymailEvent) -> bool:
    """It tells of a message or of an address, and not whose.

    One that tells of neither is a provider's trial of this webhook. An unsubscription is
    also found by our metadata.
    """
    if isinstance(event, AnymailInboundEvent):
        return False
    if event.recipient or event.event_type == EventType.UNSUBSCRIBED:
        return False
    return bool(event.message_id) or event.event_type in ADDRESS_EVENTS


def provider_name(pattern_name: str) -> str:
    """postmark for postmark_tracking_webhook, postmark_inbound for the other one."""
    return pattern_name.removesuffix("_webhook").removesuffix("_tracking")


def wrap_view(name: str, view_class: type[Any]) -> type[SafeWebhookView]:
    kind = (
        SignatureVerifiedView
        if name.startswith("amazon_ses")
        else EnvelopeOnlyInboundView
        if name.endswith("inbound")
        else SafeWebhookView
    )
    return type(view_class.__name__, (kind, view_class), {})


# Anymail's view of each provider, by the provider's name; Mandrill's is for both kinds.
VIEWS_BY_PROVIDER: dict[str, type[Any]] = {
    provider_name(pattern.name): wrap_view(provider_name(pattern.name), pattern.callback.view_class)
    for pattern in anymail_urls.urlpatterns
}


def reparse_request(
    provider: str, *, body: bytes, content_type: str, headers: Mapping[str, str]
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
    return VIEWS_BY_PROVIDER[provider]().parse_events(request)
