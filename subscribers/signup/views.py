"""Sign-up pages: ours, and the form that other sites embed in a frame.

They use no cookie and no CSRF token, so caches may keep them and they work inside other sites. A
forged request gains nothing: signing up needs no session. subscribers/signup/abuse_protection.py
protects them instead.
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
from django.views.decorators.http import require_POST, require_safe

from papers.models import Topic
from papers.web.client_ip import get_client_ip
from subscribers import tasks
from subscribers.link_views import redirect_to_preferences, require_get_or_post, token_view
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.signup import abuse_protection, lifecycle, proof_of_work
from subscribers.signup.consent import FormKind
from subscribers.signup.forms import SignupForm

allow_framing = csp_replace({"frame-ancestors": ["*"]})

PAGE_TEMPLATES = {
    FormKind.PAGE: "subscribers/subscribe.html",
    FormKind.EMBED: "subscribers/embed.html",
}
RESULT_URL_NAMES = {
    FormKind.PAGE: "subscribers:check_inbox",
    FormKind.EMBED: "subscribers:embed_asked",
}


@csrf_exempt
@require_get_or_post
def subscribe(request: HttpRequest) -> HttpResponse:
    return (
        submit_signup(request, FormKind.PAGE)
        if request.method == "POST"
        else blank_form(request, FormKind.PAGE)
    )


@csrf_exempt
@xframe_options_exempt
@allow_framing
@require_get_or_post
def embed(request: HttpRequest) -> HttpResponse:
    return (
        submit_signup(request, FormKind.EMBED)
        if request.method == "POST"
        else blank_form(request, FormKind.EMBED)
    )


@cache_control(public=True, max_age=60)
def blank_form(request: HttpRequest, form_kind: FormKind) -> HttpResponse:
    # The embedding site chooses the topics, in the query string.
    topic_slugs = request.GET.getlist("topics") if form_kind == FormKind.EMBED else []
    return render(request, PAGE_TEMPLATES[form_kind], form_context(form_kind, topic_slugs))


@never_cache
def submit_signup(request: HttpRequest, form_kind: FormKind) -> HttpResponse:
    """Record a sign-up and enqueue its mail; the answer never reveals who is subscribed."""
    form = SignupForm(request.POST)
    if not form.is_valid():
        return redisplay_form(request, form_kind, form)
    try:
        consent_context = abuse_protection.read_form_token(
            request.POST.get("seal", ""),
            honeypot=request.POST.get("subject", ""),
            ip=get_client_ip(request),
        )
        subscriber = abuse_protection.request_signup(
            abuse_protection.SignupRequest(**form.cleaned_data),
            consent_context,
            has_proof_of_work=abuse_protection.is_valid_proof(request.POST.get("proof", "")),
            now=timezone.now(),
        )
    except abuse_protection.ResubmitRequiredError as error:
        return redisplay_form(request, form_kind, form, error=error)
    except abuse_protection.RateLimitedError as error:
        return rate_limited_page(request, form_kind, form, error)
    tasks.enqueue_confirmation_on_commit(subscriber.pk)
    if is_htmx(request):
        return render(request, "subscribers/_asked.html", {"place": form_kind})
    return HttpResponseRedirect(reverse(RESULT_URL_NAMES[form_kind]), status=HTTPStatus.SEE_OTHER)


def redisplay_form(
    request: HttpRequest,
    form_kind: FormKind,
    form: SignupForm,
    *,
    error: Exception | None = None,
) -> HttpResponse:
    """Return the form with the values that were entered: alone for htmx, else as a page."""
    context = {
        **form_context(form_kind, request.POST.getlist("topics")),
        "form": form,
        "why": error,
    }
    return render(request, template_for(request, form_kind), context, status=HTTPStatus.BAD_REQUEST)


def rate_limited_page(
    request: HttpRequest,
    form_kind: FormKind,
    form: SignupForm,
    error: abuse_protection.RateLimitedError,
) -> HttpResponse:
    """Return the form with the values that were entered, for one query at most.

    Do not load all topics here: during a flood, most answers are this one.
    """
    topic_slugs = form.cleaned_data["topics"]
    topics = Topic.objects.filter(slug__in=topic_slugs) if topic_slugs else ()
    context = {"place": form_kind, "form": form, "why": error}
    context |= (
        {"fixed": topics}
        if form_kind == FormKind.EMBED
        else {"topics": topics, "chosen": topic_slugs}
    )
    response = render(
        request, template_for(request, form_kind), context, status=HTTPStatus.TOO_MANY_REQUESTS
    )
    response["Retry-After"] = str(error.retry_after_seconds)
    return response


def template_for(request: HttpRequest, form_kind: FormKind) -> str:
    return "subscribers/_signup.html" if is_htmx(request) else PAGE_TEMPLATES[form_kind]


def form_context(form_kind: FormKind, topic_slugs: list[str]) -> dict[str, Any]:
    topics = Topic.objects.list_by_trending_count(on=timezone.now().date())
    if form_kind == FormKind.EMBED:
        known_topics = [topic for topic in topics if topic.slug in topic_slugs]
        return {"place": form_kind, "fixed": known_topics}
    return {"place": form_kind, "topics": topics, "chosen": set(topic_slugs)}


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx sent the request, to replace the form with the answer."""
    return request.headers.get("HX-Request") == "true"


@require_safe
@never_cache
def challenge(request: HttpRequest) -> HttpResponse:
    return JsonResponse(proof_of_work.create_challenge(now=timezone.now()))


@require_safe
@cache_control(public=True, max_age=60)
def check_inbox(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/check_inbox.html")


@require_safe
@xframe_options_exempt
@allow_framing
@cache_control(public=True, max_age=60)
def embed_submitted(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/embed.html", {"place": FormKind.EMBED, "asked": True})


@csrf_exempt
@require_POST
@never_cache
def resend_link(request: HttpRequest, token: str) -> HttpResponse:
    """Mail a new link to the owner of an expired one; give the same answer for every token."""
    try:
        subscriber = links.subscriber_for_renewal(token)
    except links.InvalidLinkError:
        pass
    else:
        if lifecycle.resend_link(subscriber, timezone.now()):
            tasks.enqueue_confirmation_on_commit(subscriber.pk)
    return HttpResponseRedirect(
        reverse(RESULT_URL_NAMES[FormKind.PAGE]), status=HTTPStatus.SEE_OTHER
    )


@token_view
@require_get_or_post
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show a button on GET, confirm on POST.

    Do not confirm on GET: mail scanners open every link.
    """
    try:
        subscriber = links.read_token(Purpose.CONFIRM, token)
    except links.UsedLinkError as error:
        if not error.subscriber.is_mailable:
            raise
        return render(request, "subscribers/already_confirmed.html")
    if request.method != "POST":
        return render(request, "subscribers/confirm.html")
    lifecycle.confirm(subscriber, timezone.now())
    return redirect_to_preferences(subscriber, "welcome")
