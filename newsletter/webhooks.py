"""Where providers report: each request is looked at, kept as it came, and answered at once.

What is wrong with a request is answered with 4xx and a sentence; only what fails here is 5xx, and
comes again. What a report means is worked out after the answer (newsletter/events/processing.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from anymail import urls as anymail_urls
from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from anymail.signals import inbound, tracking
from anymail.webhooks.base import AnymailCoreWebhookView
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django.utils import timezone

from newsletter import tasks
from newsletter.events import parsing, processing
from newsletter.events.parsing import MalformedRequestError, TemporaryFailureError
from subscribers.mail import links

logger = logging.getLogger(__name__)


class StoringWebhookView(AnymailCoreWebhookView):
    """What is done with a request that is good: instead of Anymail's doing it all at once."""

    provider = ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.signal is not inbound:
            buffer_body(request)
        self.run_validators(request)
        events = self.parse_events(request)
        if self.signal is inbound:
            # Mail is not kept. Its receiver only looks at the envelope, and may see it again.
            for event in events:
                inbound.send(sender=self.__class__, event=event, esp_name=self.esp_name)
        elif self.signal is tracking and events:
            report = processing.store_report(self.provider, request, now=timezone.now())
            if report:
                tasks.enqueue_report(report.pk)
        return HttpResponse()


def buffer_body(request: HttpRequest) -> None:
    """Have the body as it came, before its fields are read: they come from the same stream."""
    try:
        request.body  # noqa: B018 -- it remembers
    except UnreadablePostError as error:
        raise TemporaryFailureError("it broke off") from error


def with_error_responses(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Say what is wrong with a request in a sentence, never with a word of what it holds."""

    @wraps(view)
    def answered(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except MalformedRequestError as error:
            logger.warning("%s: refused a malformed report (%s)", request.path, error)
            return plain_text_response("This report cannot be read.", status=400)
        except TemporaryFailureError as error:
            logger.error("%s: could not take a report (%s)", request.path, error)
            return plain_text_response("Please try again later.", status=503)
        except AnymailWebhookValidationFailure:
            logger.warning("%s: refused a report without the right credentials", request.path)
            return plain_text_response("The credentials or the signature are wrong.", status=400)
        except RequestDataTooBig:
            return plain_text_response("This report is too large.", status=413)
        except AnymailConfigurationError as error:  # its own key is not set: nobody can be trusted
            logger.error("%s: refused a report: %s", request.path, error)
            return plain_text_response("This provider is not set up here.", status=403)

    return answered


def plain_text_response(text: str, *, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


def wrap_pattern(pattern: URLPattern) -> URLPattern:
    """Anymail's own address, with its view made careful, and keeping what it takes."""
    name = parsing.provider_name(pattern.name or "")
    view_class: Any = type(
        name, (parsing.VIEWS_BY_PROVIDER[name], StoringWebhookView), {"provider": name}
    )
    view = with_error_responses(view_class.as_view())
    if "inbound" in name:
        view = require_inbound_enabled(view, name.removesuffix("_inbound"))
    return URLPattern(pattern.pattern, view, pattern.default_args, pattern.name)


def require_inbound_enabled(
    view: Callable[..., HttpResponseBase], provider: str
) -> Callable[..., HttpResponseBase]:
    """Without a domain of the operator's no mail can come, so there is no such address."""

    @wraps(view)
    def asked(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        if not settings.INBOUND_DOMAIN or provider not in links.INBOUND_PROVIDERS:
            raise Http404
        return view(request, *args, **kwargs)

    return asked


urlpatterns = [wrap_pattern(pattern) for pattern in anymail_urls.urlpatterns]
