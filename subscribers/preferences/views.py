"""The preferences page, and the pages of the feedback links in a digest."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from subscribers.link_views import redirect_see_other, require_get_or_post, token_view
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Preferences
from subscribers.preferences import feedback, votes
from subscribers.preferences.form import PreferencesForm


@token_view
@require_get_or_post
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    subscriber, now = links.read_token(Purpose.PREFERENCES, token), timezone.now()
    posted = request.POST if request.method == "POST" else None
    form = PreferencesForm(posted, instance=subscriber.preferences, now=now)
    if form.is_valid():
        form.save_and_reschedule(now)
        return redirect_see_other(f"{request.path}?saved")
    return preferences_page(request, token, form)


def preferences_page(
    request: HttpRequest, token: str, form: PreferencesForm, **extra_context: Any
) -> HttpResponse:
    """Render the preferences page around a form, which may hold unsaved values or errors.

    The status is 400 if the form has errors. Times are shown in the stored time zone.
    """
    subscriber = form.instance.subscriber
    zone = Preferences.objects.get(subscriber=subscriber).zone
    context = {
        "token": token,
        "form": form,
        "subscriber": subscriber,
        **{message: message in request.GET for message in ("saved", "welcome", "forgotten")},
        "saved_zone": zone,
        "next_digest_at": subscriber.next_digest_at,
        "due_now": subscriber.is_due(timezone.now()),
        "learned": topic_adjustment_rows(form),
        "unsubscribe_url": links.signed_url(Purpose.UNSUBSCRIBE, subscriber),
        **extra_context,
    }
    # Templates render times in the active time zone.
    with timezone.override(zone):
        status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
        return render(request, "subscribers/preferences.html", context, status=status)


def topic_adjustment_rows(form: PreferencesForm) -> list[dict[str, Any]]:
    """Return the topics whose papers rank higher or lower by votes, the largest change first."""
    reader = form.instance.subscriber
    adjustments = votes.topic_adjustments_by_subscriber([reader])[reader.pk]
    rows = [
        {
            "topic": topic.name,
            "share": adjustments[topic.slug],
            "percent": f"{adjustments[topic.slug]:+.0%}".replace("-", "−"),
        }
        for topic in form.topics
        if adjustments.get(topic.slug)
    ]
    return sorted(rows, key=lambda row: -abs(row["share"]))


@token_view
@require_POST
def forget_votes(request: HttpRequest, token: str) -> HttpResponse:
    votes.delete_votes(links.read_token(Purpose.PREFERENCES, token))
    return redirect_see_other(f"{reverse('subscribers:preferences', args=[token])}?forgotten")


@token_view
@require_get_or_post
def give_feedback(request: HttpRequest, token: str) -> HttpResponse:
    """Store a digest link's vote or muted topic on POST, or undo it (`undo`); GET only asks.

    Never act on GET: mail programs open every link in a digest.
    """
    link = feedback.resolve_token(token)
    current_value = link.current_value
    if request.method == "POST":
        undo = "undo" in request.POST
        link.set_value(request.POST["undo"] if undo else link.action, now=timezone.now())
        # The page offers to undo to the value that the query string names.
        query = urlencode({"undone" if undo else "before": current_value})
        return redirect_see_other(f"{request.path}?{query}")
    context = {
        "action": link.action,
        "target": link.target,
        "done": current_value == link.action,
        "before": request.GET.get("before", ""),
        "undone": "undone" in request.GET,
        "preferences_url": links.signed_url(Purpose.PREFERENCES, link.subscriber),
    }
    return render(request, "subscribers/feedback.html", context)
