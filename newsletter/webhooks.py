"""Receive providers' reports at Anymail's addresses: validate, store, answer.

An authentic report is stored by one INSERT and answered at once; what it means is worked out
afterwards (newsletter/events/processing.py). A malformed request is answered with 4xx and a
sentence that quotes nothing of it; only our own failures are 5xx, so that the provider retries.
"""

from __future__ import annotations

import logging
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from anymail.signals import inbound, tracking
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import path, re_path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from newsletter import tasks
from newsletter.events import parsing, reports
from newsletter.events.parsing import MalformedRequestError, TemporaryFailureError, Webhook
from subscribers.mail import links

logger = logging.getLogger(__name__)


@method_decorator(csrf_exempt, name="dispatch")
class WebhookView(View):
    """The address of one webhook, by its name in `parsing.VIEW_CLASSES`."""

    http_method_names = ("post", "head", "options")
    name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.name.endswith("_inbound") and not accepts_mail(self.name.removesuffix("_inbound")):
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def head(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer the check that some providers make when the address is entered."""
        return HttpResponse()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer the check of Unisender Go, the only provider that makes it by GET."""
        return HttpResponse()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take a report; name what is wrong with it in a sentence that quotes nothing of it."""
        try:
            webhook = parsing.get_webhook(self.name)
            if webhook.needs_challenge(request):
                return challenge_response()
            receive(webhook, request)
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
        except AnymailConfigurationError as error:
            # The provider's signing key is not set, so nothing can be authenticated.
            logger.error("%s: refused a report: %s", request.path, error)
            return plain_text_response("This provider is not set up here.", status=403)
        return HttpResponse()


def accepts_mail(provider: str) -> bool:
    """Return whether the operator receives mail to unsubscribe through this provider."""
    return bool(settings.INBOUND_DOMAIN) and provider in links.INBOUND_PROVIDERS


def receive(webhook: Webhook, request: HttpRequest) -> None:
    """Validate a request; store a report, or pass inbound mail to its receivers.

    Mail is not stored. Its receiver reads the envelope only, and may see the same mail twice.
    """
    if webhook.signal is not inbound:
        buffer_body(request)
    webhook.validate(request)
    events = webhook.parse_events(request)
    if webhook.signal is inbound:
        for event in events:
            inbound.send(sender=type(webhook.view), event=event, esp_name=webhook.esp_name)
    elif webhook.signal is tracking and events:
        report = reports.store_report(webhook.name, request, now=timezone.now())
        if report:
            tasks.enqueue_report(report.pk)


def buffer_body(request: HttpRequest) -> None:
    """Read the raw body before the form fields are parsed: both come from the same stream."""
    try:
        request.body  # noqa: B018 -- keeps it
    except UnreadablePostError as error:
        raise TemporaryFailureError("the connection broke off") from error


def challenge_response() -> HttpResponse:
    response = plain_text_response("Please send the credentials.", status=401)
    response["WWW-Authenticate"] = 'Basic realm="Anymail WEBHOOK_SECRET"'
    return response


def plain_text_response(text: str, *, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


def as_view(name: str) -> Any:
    methods = WebhookView.http_method_names
    return WebhookView.as_view(
        name=name,
        http_method_names=(*methods, "get") if name == "unisender_go" else methods,
    )


# Anymail's own addresses and URL names (anymail.urls); a test compares them.
urlpatterns = [
    *(
        path(f"{name}/tracking/", as_view(name), name=f"{name}_tracking_webhook")
        for name in parsing.TRACKING_PROVIDERS
    ),
    *(
        path(f"{name.removesuffix('_inbound')}/inbound/", as_view(name), name=f"{name}_webhook")
        for name in parsing.VIEW_CLASSES
        if name.endswith("_inbound") and name != "mailgun_inbound"
    ),
    # Mailgun sends the whole message where the address contains "mime".
    re_path(
        r"^mailgun/inbound(_mime)?/$", as_view("mailgun_inbound"), name="mailgun_inbound_webhook"
    ),
    path("mandrill/", as_view("mandrill"), name="mandrill_webhook"),
]
