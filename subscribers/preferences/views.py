"""The pages where readers choose: their preferences, and a word on one paper or topic."""

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
    """The form as it stands, saved or not, beside what is known of its reader."""
    subscriber = form.instance.subscriber
    zone = Preferences.objects.get(subscriber=subscriber).zone
    context = {
        "token": token,
        "form": form,
        "subscriber": subscriber,
        **{note: note in request.GET for note in ("saved", "welcome", "forgotten")},
        "saved_zone": zone,
        "next_digest_at": subscriber.next_digest_at,
        "due_now": subscriber.is_due(timezone.now()),
        "learned": topic_adjustment_rows(form),
        "unsubscribe_url": links.signed_url(Purpose.UNSUBSCRIBE, subscriber),
        **extra_context,
    }
    # Templates show moments in the current zone: here, the reader's.
    with timezone.override(zone):
        status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
        return render(request, "subscribers/preferences.html", context, status=status)


def topic_adjustment_rows(form: PreferencesForm) -> list[dict[str, Any]]:
    """What votes have taught, the most telling first."""
    reader = form.instance.subscriber
    shares = votes.topic_adjustments_by_subscriber([reader])[reader.pk]
    found = [
        {
            "topic": topic.name,
            "share": shares[topic.slug],
            "percent": f"{shares[topic.slug]:+.0%}".replace("-", "−"),
        }
        for topic in form.topics
        if shares.get(topic.slug)
    ]
    return sorted(found, key=lambda each: -abs(each["share"]))


@token_view
@require_POST
def forget_votes(request: HttpRequest, token: str) -> HttpResponse:
    votes.delete_votes(links.read_token(Purpose.PREFERENCES, token))
    return redirect_see_other(f"{reverse('subscribers:preferences', args=[token])}?forgotten")


@token_view
@require_get_or_post
def give_feedback(request: HttpRequest, token: str) -> HttpResponse:
    """Programs open every link in a digest; only a person presses the button, and may undo it."""
    word = feedback.resolve_token(token)
    before = word.current_value
    if request.method == "POST":
        undo = "undo" in request.POST
        word.set_value(request.POST["undo"] if undo else word.action, now=timezone.now())
        return redirect_see_other(
            f"{request.path}?{urlencode({'undone' if undo else 'before': before})}"
        )
    context = {
        "verb": word.action,
        "about": word.target,
        "done": before == word.action,
        "before": request.GET.get("before", ""),
        "undone": "undone" in request.GET,
        "preferences_url": links.signed_url(Purpose.PREFERENCES, word.subscriber),
    }
    return render(request, "subscribers/feedback.html", context)
