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
    """Within another site the topics are that site's choice, in the address."""
    chosen = request.GET.getlist("topics") if form_kind == FormKind.EMBED else []
    return render(request, PAGE_TEMPLATES[form_kind], form_context(form_kind, chosen))


@never_cache
def submit_signup(request: HttpRequest, form_kind: FormKind) -> HttpResponse:
    """Whoever is here already, the answer is the same: look into your inbox."""
    form = SignupForm(request.POST)
    if not form.is_valid():
        return redisplay_form(request, form_kind, form)
    try:
        given = abuse_protection.read_form_token(
            request.POST.get("seal", ""),
            honeypot=request.POST.get("subject", ""),
            ip=get_client_ip(request),
        )
        wish = abuse_protection.SignupRequest(**form.cleaned_data)
        proven = abuse_protection.is_valid_proof(request.POST.get("proof", ""))
        subscriber = abuse_protection.request_signup(
            wish, given, has_proof_of_work=proven, now=timezone.now()
        )
    except abuse_protection.ResubmitRequiredError as reason:
        return redisplay_form(request, form_kind, form, error=reason)
    except abuse_protection.RateLimitedError as reason:
        return rate_limited_page(request, form_kind, form, reason)
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
    """The form once more, with what was typed: whole page, or in its place on the page."""
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
    """The form once more, made with little: of a flood this is most."""
    chosen = form.cleaned_data["topics"]
    topics = Topic.objects.filter(slug__in=chosen) if chosen else ()
    context = {"place": form_kind, "form": form, "why": error}
    context |= (
        {"fixed": topics} if form_kind == FormKind.EMBED else {"topics": topics, "chosen": chosen}
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
        known = [topic for topic in topics if topic.slug in topic_slugs]
        return {"place": form_kind, "fixed": known}
    return {"place": form_kind, "topics": topics, "chosen": set(topic_slugs)}


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asks: it puts the answer where the form was."""
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
    """A new link by mail to whom an old one was for; the same answer, whatever the token."""
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
    """Programs open every link in a mail; only a person presses the button."""
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
