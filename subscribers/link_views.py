"""Shared code of the pages that links in emails open.

The token in the URL is the only credential. The pages use no cookie, so they work where cookies
are blocked, and need no CSRF protection: a forger does not have the token.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Subscriber

View = Callable[..., HttpResponse]

require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


def token_view(view: View) -> View:
    """Wrap a view whose URL holds a token: no caching, no referrer, no indexing.

    Render an error page with status 400 when the view raises InvalidLinkError.
    """

    @csrf_exempt
    @never_cache
    @wraps(view)
    def handle_token(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, token)
        except links.InvalidLinkError as error:
            context = {"expired": isinstance(error, links.ExpiredLinkError), "token": token}
            response = render(request, "subscribers/bad_link.html", context, status=400)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return handle_token


def redirect_to_preferences(subscriber: Subscriber, message: str) -> HttpResponse:
    token = links.signed_token(Purpose.PREFERENCES, subscriber)
    return redirect_see_other(f"{reverse('subscribers:preferences', args=[token])}?{message}")


def redirect_see_other(url: str) -> HttpResponse:
    """Return a 303, so that reloading the next page does not repeat the POST."""
    return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)
