"""Read what providers send with Anymail's webhook views, and separate their errors from ours.

Anymail lets malformed data raise whatever it raises, which Django answers with 500. A provider takes
a 500 for our failure: it sends the same request again for days and may then disable the webhook. So
data that cannot be read raises `MalformedRequestError` here (answered with 400), and a lookup
elsewhere that fails raises `TemporaryFailureError` (503: send it again).

Importing Anymail's views loads every provider's library and costs each process 0.6 CPU seconds. They
are imported when a request names their provider, and never at start-up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from io import BytesIO
from typing import Any

from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailError,
    AnymailImproperlyInstalled,
    AnymailWebhookValidationFailure,
)
from anymail.signals import AnymailEvent, AnymailInboundEvent, AnymailTrackingEvent, EventType
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError

# Anymail's view class of each webhook, as module and class under anymail.webhooks. Mandrill's one
# view takes both kinds; sendinblue is the old name of brevo.
VIEW_CLASSES = {
    "amazon_ses": "amazon_ses.AmazonSESTrackingWebhookView",
    "amazon_ses_inbound": "amazon_ses.AmazonSESInboundWebhookView",
    "brevo": "brevo.BrevoTrackingWebhookView",
    "brevo_inbound": "brevo.BrevoInboundWebhookView",
    "mailersend": "mailersend.MailerSendTrackingWebhookView",
    "mailersend_inbound": "mailersend.MailerSendInboundWebhookView",
    "mailgun": "mailgun.MailgunTrackingWebhookView",
    "mailgun_inbound": "mailgun.MailgunInboundWebhookView",
    "mailjet": "mailjet.MailjetTrackingWebhookView",
    "mailjet_inbound": "mailjet.MailjetInboundWebhookView",
    "mailtrap": "mailtrap.MailtrapTrackingWebhookView",
    "mailtrap_inbound": "mailtrap.MailtrapInboundWebhookView",
    "mandrill": "mandrill.MandrillCombinedWebhookView",
    "postal": "postal.PostalTrackingWebhookView",
    "postal_inbound": "postal.PostalInboundWebhookView",
    "postmark": "postmark.PostmarkTrackingWebhookView",
    "postmark_inbound": "postmark.PostmarkInboundWebhookView",
    "resend": "resend.ResendTrackingWebhookView",
    "resend_inbound": "resend.ResendInboundWebhookView",
    "sendgrid": "sendgrid.SendGridTrackingWebhookView",
    "sendgrid_inbound": "sendgrid.SendGridInboundWebhookView",
    "sendinblue": "sendinblue.SendinBlueTrackingWebhookView",
    "sendinblue_inbound": "sendinblue.SendinBlueInboundWebhookView",
    "sparkpost": "sparkpost.SparkPostTrackingWebhookView",
    "sparkpost_inbound": "sparkpost.SparkPostInboundWebhookView",
    "unisender_go": "unisender_go.UnisenderGoTrackingWebhookView",
}
TRACKING_PROVIDERS = sorted(name for name in VIEW_CLASSES if not name.endswith("_inbound"))

# What reading malformed data raises. Anything else (of a socket, of the database) is our failure.
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
# Events that concern an address: without a recipient they are useless.
ADDRESS_EVENTS = {
    EventType.BOUNCED,
    EventType.COMPLAINED,
    EventType.DEFERRED,
    EventType.FAILED,
    EventType.REJECTED,
}


class MalformedRequestError(Exception):
    """The request cannot be read, and sending it again will not help."""


class TemporaryFailureError(Exception):
    """A lookup elsewhere failed, such as Amazon's confirmation of a subscription."""


@dataclass(frozen=True)
class Webhook:
    """One webhook: Anymail's view of it, with errors classified."""

    name: str
    view: Any

    @property
    def esp_name(self) -> str:
        return str(self.view.esp_name)

    @property
    def signal(self) -> Any:
        return self.view.signal

    def needs_challenge(self, request: HttpRequest) -> bool:
        """Return whether to ask for credentials first: Amazon sends them only after a 401."""
        return bool(
            self.name.startswith("amazon_ses")
            and self.view.basic_auth
            and "Authorization" not in request.headers
        )

    def validate(self, request: HttpRequest) -> None:
        """Check credentials and signature; raise AnymailWebhookValidationFailure if wrong."""
        try:
            self.view.run_validators(request)
        except (AnymailWebhookValidationFailure, RequestDataTooBig):
            raise
        except PARSE_ERRORS as error:
            raise MalformedRequestError(type(error).__name__) from error
        if self.name.startswith("amazon_ses"):
            verify_sns_signature(request)

    def parse_events(self, request: HttpRequest) -> list[AnymailEvent]:
        """Return the events of a request, without those that lack their recipient."""
        try:
            events = [event for event in self.view.parse_events(request) if event is not None]
        except (AnymailWebhookValidationFailure, AnymailImproperlyInstalled, RequestDataTooBig):
            raise
        except AnymailConfigurationError as error:
            # Inbound mail at the tracking address, or the reverse: the message names the right one.
            raise MalformedRequestError(str(error)) from error
        except PARSE_ERRORS as error:
            raise MalformedRequestError(type(error).__name__) from error
        except Exception as error:
            raise TemporaryFailureError(type(error).__name__) from error
        complete = [event for event in events if not lacks_recipient(event)]
        if events and not complete:
            raise MalformedRequestError("no recipient")
        return complete


def verify_sns_signature(request: HttpRequest) -> None:
    """Verify the signature of an Amazon SNS message, which Anymail does not do."""
    from newsletter.events import sns  # noqa: PLC0415 -- imports cryptography, only for Amazon

    try:
        sns.verify_message(json.loads(request.body))
    except sns.SnsVerificationError as error:
        raise AnymailWebhookValidationFailure(str(error)) from error
    except sns.CertificateUnavailableError as error:
        raise TemporaryFailureError(str(error)) from error


def lacks_recipient(event: AnymailEvent) -> bool:
    """Return whether an event concerns a message or an address but names no recipient.

    An event that concerns neither is a provider's test of the webhook. An unsubscription is also
    matched by our metadata.
    """
    if isinstance(event, AnymailInboundEvent):
        return False
    if event.recipient or event.event_type == EventType.UNSUBSCRIBED:
        return False
    return bool(event.message_id) or event.event_type in ADDRESS_EVENTS


@cache
def view_class(name: str) -> type[Any]:
    """Import Anymail's view class of a webhook; raise KeyError if there is none by that name."""
    module, _, class_name = VIEW_CLASSES[name].partition(".")
    loaded: type[Any] = getattr(import_module(f"anymail.webhooks.{module}"), class_name)
    return loaded


def get_webhook(name: str) -> Webhook:
    """Return the webhook by that name, reading Anymail's settings anew.

    Of inbound mail only the envelope matters here, so attachments and bodies that the provider
    stores elsewhere are never fetched.
    """
    view = view_class(name)()
    if name.endswith("_inbound"):
        view._fetch_inbound_email = empty_inbound_message
        view._fetch_attachment = empty_attachment
    return Webhook(name, view)


def empty_inbound_message(email_id: str) -> Any:
    from anymail.inbound import AnymailInboundMessage  # noqa: PLC0415 -- not at start-up

    return AnymailInboundMessage()


def empty_attachment(attachment: Any) -> Any:
    from anymail.inbound import AnymailInboundMessage  # noqa: PLC0415 -- not at start-up

    return AnymailInboundMessage.construct_attachment("text/plain", "")


def reparse_request(
    provider: str, *, body: bytes, content_type: str, headers: Mapping[str, str]
) -> list[AnymailTrackingEvent]:
    """Return the events of a stored request; its credentials were checked when it came in."""
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
    return get_webhook(provider).parse_events(request)
