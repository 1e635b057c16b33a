"""The pages behind links in emails: confirm, choose and leave.

No page here looks at a cookie, so each works where cookies are blocked. None needs CSRF protection
either: each is opened by a token that a forger does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from subscribers import farewells, links, signup
from subscribers.forms import FarewellForm
from subscribers.links import Purpose
from subscribers.models import Subscriber

View = Callable[..., HttpResponse]

require_page = require_http_methods(["GET", "HEAD", "POST"])


def by_link(view: View) -> View:
    """A page whose address holds a token: for its reader only, and nothing without it."""

    @csrf_exempt
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, token)
        except links.BadLink as error:
            context = {"expired": isinstance(error, links.ExpiredLink), "token": token}
            response = render(request, "subscribers/bad_link.html", context, status=400)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return guarded


@by_link
@require_page
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Programs open every link in a mail; only a person presses the button."""
    try:
        subscriber = links.read(Purpose.CONFIRM, token)
    except links.UsedLink as error:
        if not error.subscriber.is_mailable:
            raise
        return render(request, "subscribers/already_confirmed.html")
    if request.method != "POST":
        return render(request, "subscribers/confirm.html")
    signup.confirm(subscriber, timezone.now())
    return to_preferences(subscriber, "welcome")


def to_preferences(subscriber: Subscriber, message: str) -> HttpResponse:
    token = links.token(Purpose.PREFERENCES, subscriber)
    return see_other(f"{reverse('subscribers:preferences', args=[token])}?{message}")


@by_link
@require_page
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Leave with one click, by RFC 8058: the same 200 for every token, without a redirect.

    Programs post `List-Unsubscribe=One-Click` in either encoding, and some post nothing; a person
    presses the button that GET shows.
    """
    if request.method != "POST":
        return leaving_page(request, token)
    subscriber, just_now = leave(token)
    if by_program(request):
        return HttpResponse("You are unsubscribed.\n", content_type="text/plain")
    return unsubscribed_page(request, subscriber, may_say_why=just_now)


def leaving_page(request: HttpRequest, token: str) -> HttpResponse:
    try:
        links.read(Purpose.UNSUBSCRIBE, token)
    except links.ErasedLink:
        return unsubscribed_page(request, None)
    return render(request, "subscribers/unsubscribe.html")


def leave(token: str) -> tuple[Subscriber | None, bool]:
    """Who has left now, if anybody, and whether they had not before."""
    try:
        subscriber = links.read(Purpose.UNSUBSCRIBE, token)
    except links.BadLink:
        return None, False
    had_left = subscriber.status == Subscriber.Status.LEFT
    signup.leave(subscriber, Subscriber.Reason.UNSUBSCRIBED, timezone.now())
    return subscriber, not had_left


def by_program(request: HttpRequest) -> bool:
    """Whether it was not our button; what cannot be read does not come from it."""
    try:
        return "List-Unsubscribe" in request.POST
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        return True


def unsubscribed_page(
    request: HttpRequest, subscriber: Subscriber | None, *, may_say_why: bool = False
) -> HttpResponse:
    """Who just left may press a button to come back, or say why; both can be left alone."""
    context: dict[str, Any] = {}
    if subscriber and may_say_why:
        context["farewell_token"] = links.token(Purpose.FAREWELL, subscriber)
        context["form"] = FarewellForm()
    if subscriber and signup.may_rejoin(subscriber, timezone.now()):
        context["resubscribe_token"] = links.token(Purpose.RESUBSCRIBE, subscriber)
    return render(request, "subscribers/unsubscribed.html", context)


@by_link
@require_POST
def farewell(request: HttpRequest, token: str) -> HttpResponse:
    """Why they left: once, and kept without a word of who it was."""
    try:
        subscriber = links.read(Purpose.FAREWELL, token)
    except links.UsedLink:  # pressed twice
        return see_other(reverse("subscribers:thanks"))
    form = FarewellForm(request.POST)
    if not form.is_valid():
        context = {"farewell_token": token, "form": form}
        return render(request, "subscribers/unsubscribed.html", context, status=400)
    farewells.say(subscriber, **form.cleaned_data, now=timezone.now())
    return see_other(reverse("subscribers:thanks"))


@require_safe
@cache_control(public=True, max_age=60)
def thanks(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/thanks.html")


@by_link
@require_POST
def resubscribe(request: HttpRequest, token: str) -> HttpResponse:
    subscriber = links.read(Purpose.RESUBSCRIBE, token)
    if not signup.rejoin(subscriber, timezone.now()):
        raise links.ExpiredLink
    return to_preferences(subscriber, "welcome")


def see_other(address: str) -> HttpResponse:
    """After a POST: fetch the next page with GET, so that reloading it posts nothing again."""
    return HttpResponseRedirect(address, status=HTTPStatus.SEE_OTHER)
