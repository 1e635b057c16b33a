"""The pages behind links in emails: confirm, choose and leave.

No page here looks at a cookie, so each works where cookies are blocked. None needs CSRF protection
either: each is opened by a token that a forger does not have.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from subscribers.leaving import exit_survey
from subscribers.leaving.forms import UnsubscribeFeedbackForm
from subscribers.link_views import (
    redirect_see_other,
    redirect_to_preferences,
    require_get_or_post,
    token_view,
)
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Subscriber
from subscribers.signup import lifecycle


@token_view
@require_get_or_post
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Leave with one click, by RFC 8058: the same 200 for every token, without a redirect.

    Programs post `List-Unsubscribe=One-Click` in either encoding, and some post nothing; a person
    presses the button that GET shows.
    """
    if request.method != "POST":
        return confirm_unsubscribe_page(request, token)
    subscriber, just_now = leave_by_token(token)
    if is_one_click_post(request):
        return HttpResponse("You are unsubscribed.\n", content_type="text/plain")
    return unsubscribed_page(request, subscriber, show_exit_survey=just_now)


def confirm_unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    try:
        links.read_token(Purpose.UNSUBSCRIBE, token)
    except links.UnknownSubscriberError:
        return unsubscribed_page(request, None)
    return render(request, "subscribers/unsubscribe.html")


def leave_by_token(token: str) -> tuple[Subscriber | None, bool]:
    """Who has left now, if anybody, and whether they had not before."""
    try:
        subscriber = links.read_token(Purpose.UNSUBSCRIBE, token)
    except links.InvalidLinkError:
        return None, False
    had_left = subscriber.status == Subscriber.Status.LEFT
    lifecycle.leave(subscriber, Subscriber.LeftReason.UNSUBSCRIBED, timezone.now())
    return subscriber, not had_left


def is_one_click_post(request: HttpRequest) -> bool:
    """Whether it was not our button; what cannot be read does not come from it."""
    try:
        return "List-Unsubscribe" in request.POST
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        return True


def unsubscribed_page(
    request: HttpRequest, subscriber: Subscriber | None, *, show_exit_survey: bool = False
) -> HttpResponse:
    """Who just left may press a button to come back, or say why; both can be left alone."""
    context: dict[str, Any] = {}
    if subscriber and show_exit_survey:
        context["farewell_token"] = links.signed_token(Purpose.EXIT_SURVEY, subscriber)
        context["form"] = UnsubscribeFeedbackForm()
    if subscriber and lifecycle.can_rejoin(subscriber, timezone.now()):
        context["resubscribe_token"] = links.signed_token(Purpose.RESUBSCRIBE, subscriber)
    return render(request, "subscribers/unsubscribed.html", context)


@token_view
@require_POST
def submit_exit_survey(request: HttpRequest, token: str) -> HttpResponse:
    """Why they left: once, and kept without a word of who it was."""
    try:
        subscriber = links.read_token(Purpose.EXIT_SURVEY, token)
    except links.UsedLinkError:  # pressed twice
        return redirect_see_other(reverse("subscribers:thanks"))
    form = UnsubscribeFeedbackForm(request.POST)
    if not form.is_valid():
        context = {"farewell_token": token, "form": form}
        return render(request, "subscribers/unsubscribed.html", context, status=400)
    exit_survey.record_answer(subscriber, **form.cleaned_data, now=timezone.now())
    return redirect_see_other(reverse("subscribers:thanks"))


@require_safe
@cache_control(public=True, max_age=60)
def thanks(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/thanks.html")


@token_view
@require_POST
def resubscribe(request: HttpRequest, token: str) -> HttpResponse:
    subscriber = links.read_token(Purpose.RESUBSCRIBE, token)
    if not lifecycle.rejoin(subscriber, timezone.now()):
        raise links.ExpiredLinkError
    return redirect_to_preferences(subscriber, "welcome")
