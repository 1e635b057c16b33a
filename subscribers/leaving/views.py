"""Unsubscribe pages, the exit survey and the way back.

Each page is opened by a token in its URL (subscribers/link_views.py), without cookies.
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
    """Unsubscribe with one POST (RFC 8058), or show a button on GET.

    Mail programs post `List-Unsubscribe=One-Click` in either form encoding; some post no body. Do
    not redirect them, and answer every token with the same 200.
    """
    if request.method != "POST":
        return confirm_unsubscribe_page(request, token)
    subscriber, has_left_now = leave_by_token(token)
    if is_one_click_post(request):
        return HttpResponse("You are unsubscribed.\n", content_type="text/plain")
    return unsubscribed_page(request, subscriber, show_exit_survey=has_left_now)


def confirm_unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    try:
        links.read_token(Purpose.UNSUBSCRIBE, token)
    except links.UnknownSubscriberError:
        return unsubscribed_page(request, None)
    return render(request, "subscribers/unsubscribe.html")


def leave_by_token(token: str) -> tuple[Subscriber | None, bool]:
    """Unsubscribe the token's reader; return them and whether this call ended a subscription.

    Return None and False for an invalid token.
    """
    try:
        subscriber = links.read_token(Purpose.UNSUBSCRIBE, token)
    except links.InvalidLinkError:
        return None, False
    had_left_before = subscriber.status == Subscriber.Status.LEFT
    lifecycle.leave(subscriber, Subscriber.LeftReason.UNSUBSCRIBED, timezone.now())
    return subscriber, not had_left_before


def is_one_click_post(request: HttpRequest) -> bool:
    """Return whether a mail program sent the request, not the button on our page.

    Our button sends a readable form, so a body that cannot be parsed comes from a program.
    """
    try:
        return "List-Unsubscribe" in request.POST
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        return True


def unsubscribed_page(
    request: HttpRequest, subscriber: Subscriber | None, *, show_exit_survey: bool = False
) -> HttpResponse:
    """Return the page after unsubscribing, with the offers to rejoin and to answer the survey."""
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
    """Store a survey answer; a second POST of the same form changes nothing."""
    try:
        subscriber = links.read_token(Purpose.EXIT_SURVEY, token)
    except links.UsedLinkError:  # The form was sent twice.
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
