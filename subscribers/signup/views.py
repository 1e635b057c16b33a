"""The pages on which strangers ask to join: ours, and the one that other sites show in a frame.

No cookie and no CSRF token, so they can be cached and work within other sites: to ask with
somebody's address takes no session of theirs. What protects them is in subscribers/signup/abuse_protection.py.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from papers.models import Topic
from papers.web.client_ip import get_client_ip
from subscribers import tasks
from subscribers.link_views import by_link, to_preferences
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.signup import abuse_protection, lifecycle, proof_of_work
from subscribers.signup.consent import Form
from subscribers.signup.forms import SignupForm

require_page = require_http_methods(["GET", "HEAD", "POST"])
within_other_sites = csp_replace({"frame-ancestors": ["*"]})

PAGES = {Form.PAGE: "subscribers/subscribe.html", Form.EMBED: "subscribers/embed.html"}
ANSWERS = {Form.PAGE: "subscribers:check_inbox", Form.EMBED: "subscribers:embed_asked"}


@csrf_exempt
@require_page
def subscribe(request: HttpRequest) -> HttpResponse:
    return ask(request, Form.PAGE) if request.method == "POST" else empty(request, Form.PAGE)


@csrf_exempt
@xframe_options_exempt
@within_other_sites
@require_page
def embed(request: HttpRequest) -> HttpResponse:
    return ask(request, Form.EMBED) if request.method == "POST" else empty(request, Form.EMBED)


@cache_control(public=True, max_age=60)
def empty(request: HttpRequest, place: Form) -> HttpResponse:
    """Within another site the topics are that site's choice, in the address."""
    chosen = request.GET.getlist("topics") if place == Form.EMBED else []
    return render(request, PAGES[place], context_for(place, chosen))


@never_cache
def ask(request: HttpRequest, place: Form) -> HttpResponse:
    """Whoever is here already, the answer is the same: look into your inbox."""
    form = SignupForm(request.POST)
    if not form.is_valid():
        return again(request, place, form)
    try:
        given = abuse_protection.opened(
            request.POST.get("seal", ""),
            trap=request.POST.get("subject", ""),
            ip=get_client_ip(request),
        )
        wish = abuse_protection.Wish(**form.cleaned_data)
        proven = abuse_protection.is_proven(request.POST.get("proof", ""))
        abuse_protection.ask(wish, given, proven=proven, now=timezone.now())
    except abuse_protection.OnceMore as reason:
        return again(request, place, form, why=reason)
    except abuse_protection.TooMany as reason:
        return wait(request, place, form, reason)
    if is_in_place(request):
        return render(request, "subscribers/_asked.html", {"place": place})
    return HttpResponseRedirect(reverse(ANSWERS[place]), status=HTTPStatus.SEE_OTHER)


def again(
    request: HttpRequest,
    place: Form,
    form: SignupForm,
    *,
    why: Exception | None = None,
) -> HttpResponse:
    """The form once more, with what was typed: whole page, or in its place on the page."""
    context = {**context_for(place, request.POST.getlist("topics")), "form": form, "why": why}
    return render(request, template_for(request, place), context, status=HTTPStatus.BAD_REQUEST)


def wait(
    request: HttpRequest, place: Form, form: SignupForm, reason: abuse_protection.TooMany
) -> HttpResponse:
    """The form once more, made with little: of a flood this is most."""
    chosen = form.cleaned_data["topics"]
    topics = Topic.objects.filter(slug__in=chosen) if chosen else ()
    context = {"place": place, "form": form, "why": reason}
    context |= {"fixed": topics} if place == Form.EMBED else {"topics": topics, "chosen": chosen}
    response = render(
        request, template_for(request, place), context, status=HTTPStatus.TOO_MANY_REQUESTS
    )
    response["Retry-After"] = str(reason.retry_after)
    return response


def template_for(request: HttpRequest, place: Form) -> str:
    return "subscribers/_signup.html" if is_in_place(request) else PAGES[place]


def context_for(place: Form, chosen: list[str]) -> dict[str, Any]:
    topics = Topic.objects.list_by_trending_count(on=timezone.now().date())
    if place == Form.EMBED:
        known = [topic for topic in topics if topic.slug in chosen]
        return {"place": place, "fixed": known}
    return {"place": place, "topics": topics, "chosen": set(chosen)}


def is_in_place(request: HttpRequest) -> bool:
    """Whether htmx asks: it puts the answer where the form was."""
    return request.headers.get("HX-Request") == "true"


@require_safe
@never_cache
def challenge(request: HttpRequest) -> HttpResponse:
    return JsonResponse(proof_of_work.challenge(now=timezone.now()))


@require_safe
@cache_control(public=True, max_age=60)
def check_inbox(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/check_inbox.html")


@require_safe
@xframe_options_exempt
@within_other_sites
@cache_control(public=True, max_age=60)
def embed_asked(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/embed.html", {"place": Form.EMBED, "asked": True})


@csrf_exempt
@require_POST
@never_cache
def fresh_link(request: HttpRequest, token: str) -> HttpResponse:
    """A new link by mail to whom an old one was for; the same answer, whatever the token."""
    try:
        subscriber = links.renewed(token)
    except links.BadLink:
        pass
    else:
        if lifecycle.remind(subscriber, timezone.now()):
            tasks.ring(subscriber.pk)
    return HttpResponseRedirect(reverse(ANSWERS[Form.PAGE]), status=HTTPStatus.SEE_OTHER)


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
    lifecycle.confirm(subscriber, timezone.now())
    return to_preferences(subscriber, "welcome")
