"""Where providers report: Anymail's views, made to refuse what nobody could read.

Anymail answers 500 to a body that it cannot parse. A provider takes that for our failure: it sends
the same again for days, and then perhaps nothing at all. So what is wrong with the request is
answered with 4xx and a sentence; only what fails here, in a receiver or at the database, is 5xx,
and comes again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from anymail import urls as anymail_urls
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailError,
    AnymailImproperlyInstalled,
    AnymailWebhookValidationFailure,
)
from anymail.signals import AnymailTrackingEvent, EventType
from anymail.webhooks.base import AnymailCoreWebhookView
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.urls import URLPattern

logger = logging.getLogger(__name__)

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

    def parse_events(self, request: HttpRequest) -> list[AnymailTrackingEvent]:
        try:
            events = super().parse_events(request)
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


def is_cut_short(event: AnymailTrackingEvent) -> bool:
    """It tells of a message or of an address, and not whose.

    One that tells of neither is a provider's trial of this webhook. An unsubscription is
    also found by our metadata.
    """
    if event.recipient or event.event_type == EventType.UNSUBSCRIBED:
        return False
    return bool(event.message_id) or event.event_type in ABOUT_AN_ADDRESS


def refusing(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Say what is wrong with a request in a sentence, never with a word of what it holds."""

    @wraps(view)
    def answered(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        try:
            return view(request, **kwargs)
        except Malformed as error:
            logger.warning("%s: refused a malformed report (%s)", request.path, error)
            return sentence("This report cannot be read.", status=400)
        except TryAgain as error:
            logger.error("%s: could not take a report (%s)", request.path, error)
            return sentence("Please try again later.", status=503)
        except AnymailWebhookValidationFailure:
            logger.warning("%s: refused a report without the right credentials", request.path)
            return sentence("The credentials or the signature are wrong.", status=400)
        except RequestDataTooBig:
            return sentence("This report is too large.", status=413)
        except AnymailConfigurationError as error:  # its own key is not set: nobody can be trusted
            logger.error("%s: refused a report: %s", request.path, error)
            return sentence("This provider is not set up here.", status=403)

    return answered


def sentence(text: str, *, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


def careful(pattern: URLPattern) -> URLPattern:
    """Anymail's own address, with its view made careful."""
    original: Any = pattern.callback
    view_class: Any = type(original.view_class.__name__, (Careful, original.view_class), {})
    return URLPattern(
        pattern.pattern, refusing(view_class.as_view()), pattern.default_args, pattern.name
    )


# Incoming mail has no receiver here, so it has no address either. (Mandrill's one is for both.)
urlpatterns = [
    careful(pattern)
    for pattern in anymail_urls.urlpatterns
    if "inbound" not in (pattern.name or "")
]
