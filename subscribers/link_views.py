"""Shared by the pages behind links in emails: read the token, or show why it is invalid.

These pages use no cookie, so they work where cookies are blocked. They need no CSRF protection: each
is opened by a token that an attacker does not have.
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
    """Decorate a view whose URL holds a token: no caching, no indexing, no referrer.

    An invalid token is answered with a page that offers a fresh link where one can be sent.
    """

    @csrf_exempt
    @never_cache
    @wraps(view)
    def wrapper(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, token)
        except links.InvalidLinkError as error:
            context = {"expired": isinstance(error, links.ExpiredLinkError), "token": token}
            response = render(request, "subscribers/bad_link.html", context, status=400)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapper


def redirect_to_preferences(subscriber: Subscriber, message: str) -> HttpResponse:
    token = links.signed_token(Purpose.PREFERENCES, subscriber)
    return redirect_see_other(f"{reverse('subscribers:preferences', args=[token])}?{message}")


def redirect_see_other(url: str) -> HttpResponse:
    """Redirect after a POST with 303, so that reloading the next page posts nothing again."""
    return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)
