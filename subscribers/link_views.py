"""What the pages behind links in emails share: open the token, or show why it does not open.

These pages look at no cookie, so each works where cookies are blocked. They need no CSRF protection
either: each is opened by a token that a forger does not have.
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
    """A page whose address holds a token: for its reader only, and nothing without it."""

    @csrf_exempt
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, token)
        except links.InvalidLinkError as error:
            context = {"expired": isinstance(error, links.ExpiredLinkError), "token": token}
            response = render(request, "subscribers/bad_link.html", context, status=400)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return guarded


def redirect_to_preferences(subscriber: Subscriber, message: str) -> HttpResponse:
    token = links.signed_token(Purpose.PREFERENCES, subscriber)
    return redirect_see_other(f"{reverse('subscribers:preferences', args=[token])}?{message}")


def redirect_see_other(url: str) -> HttpResponse:
    """After a POST: fetch the next page with GET, so that reloading it posts nothing again."""
    return HttpResponseRedirect(url, status=HTTPStatus.SEE_OTHER)
