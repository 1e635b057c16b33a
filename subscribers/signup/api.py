"""Joining by the API: for other sites with a form of their own, behind the same protection.

The gateway lets pages of every site read the API. These two calls send mail, so only pages of sites
that the operator names may make them; a program, which names no site, may as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from ninja import Router, Schema, Status
from ninja.decorators import decorate_view
from pydantic import ConfigDict, Field

from papers.web.client_ip import get_client_ip
from papers.web.problems import FieldError, problem_response
from subscribers import tasks
from subscribers.signup import abuse_protection, consent, proof_of_work
from subscribers.signup.consent import ConsentContext, FormKind
from subscribers.signup.forms import SignupForm

# Described in docs/joining.md: what only sites that agreed with the operator can use is not in the
# public description.
subscriptions = Router(tags=["subscriptions"])

ACCEPTED_MESSAGE = (
    "If the address can be written to, an email is on its way to it, to be confirmed."
)
INVALID_PROOF_MESSAGE = (
    "It is missing, too old, wrong, or was used before. Get a new challenge from"
    " subscriptions/challenge and solve it."
)
UNKNOWN_CONSENT_VERSION_MESSAGE = (
    "It names no text of ours: subscriptions/challenge gives the one to show."
)


class ConsentText(Schema):
    version: str
    text: Annotated[str, Field(description="What people must be able to read before they send.")]


class Challenge(Schema):
    """Work to be done, as ALTCHA's widgets understand it, and the words to show."""

    parameters: dict[str, Any]
    signature: str
    consent: ConsentText


class SignupPayload(Schema):
    """Who wants to get what."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, Field(max_length=1_000)]
    topics: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(max_length=200, description="Slugs; none means all topics."),
    ] = []
    timezone: Annotated[str, Field(max_length=64, description="Such as Europe/Berlin.")] = ""
    consent: Annotated[
        str, Field(max_length=16, description="The version of the text that was shown.")
    ]
    proof: Annotated[
        str,
        Field(
            max_length=proof_of_work.MAX_PROOF_CHARS, description="The solved challenge, in Base64."
        ),
    ]


class SignupAccepted(Schema):
    """The same, whether or not the address is known here."""

    detail: str


ORIGIN_NOT_ALLOWED_MESSAGE = (
    "Pages of this site may not call: the operator names those that may (SIGNUP_ORIGINS)."
)


def require_allowed_origin(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Browsers say of which site the page is that calls; programs say nothing."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        origin = request.headers.get("Origin", settings.SITE_URL)
        if origin not in {settings.SITE_URL, *settings.SIGNUP_ORIGINS}:
            return problem_response(403, ORIGIN_NOT_ALLOWED_MESSAGE)
        response = view(request, *args, **kwargs)
        if "Origin" in request.headers:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "Retry-After"
        return response

    return guarded


@subscriptions.get(
    "/challenge",
    response=Challenge,
    operation_id="get_challenge",
    summary="Work to do before asking, and the text to show",
    include_in_schema=False,
)
@decorate_view(never_cache, require_allowed_origin)
def get_challenge(request: HttpRequest) -> dict[str, Any]:
    text = {
        "version": consent.CURRENT_VERSION,
        "text": consent.CONSENT_TEXTS[consent.CURRENT_VERSION],
    }
    return {**proof_of_work.create_challenge(now=timezone.now()), "consent": text}


@subscriptions.post(
    "",
    response={202: SignupAccepted},
    operation_id="ask_to_join",
    summary="Have somebody asked by email whether they want to join",
    include_in_schema=False,
)
@decorate_view(never_cache, require_allowed_origin)
def ask_to_join(request: HttpRequest, payload: SignupPayload) -> HttpResponse | Status:
    # A browser sends anything else to other sites without asking them first.
    if request.content_type != "application/json":
        return problem_response(415, "Send JSON, and say so: Content-Type: application/json.")
    form = SignupForm(payload.dict(include={"email", "topics", "timezone"}))
    if faults := collect_field_errors(payload, form):
        said = " ".join(f"{each.parameter}: {each.detail}" for each in faults)
        return problem_response(422, said, errors=faults)
    given = ConsentContext(form=FormKind.API, version=payload.consent, ip=get_client_ip(request))
    try:
        subscriber = abuse_protection.request_signup(
            abuse_protection.SignupRequest(**form.cleaned_data),
            given,
            has_proof_of_work=True,
            now=timezone.now(),
        )
    except abuse_protection.RateLimitedError as reason:
        response = problem_response(429, str(reason))
        response["Retry-After"] = str(reason.retry_after_seconds)
        return response
    tasks.enqueue_confirmation_on_commit(subscriber.pk)
    return Status(202, {"detail": ACCEPTED_MESSAGE})


def collect_field_errors(payload: SignupPayload, form: SignupForm) -> list[FieldError]:
    """What is wrong. The proof is looked at last, so that a typing error does not use it up."""
    found = {name: " ".join(map(str, said)) for name, said in form.errors.items()}
    if payload.consent not in consent.CONSENT_TEXTS:
        found["consent"] = UNKNOWN_CONSENT_VERSION_MESSAGE
    if not found and not abuse_protection.is_valid_proof(payload.proof):
        found["proof"] = INVALID_PROOF_MESSAGE
    return [FieldError(parameter=name, detail=detail) for name, detail in found.items()]


@subscriptions.api_operation(["OPTIONS"], "", include_in_schema=False)
@decorate_view(require_allowed_origin)
def preflight(request: HttpRequest) -> HttpResponse:
    """A browser asks, before a page of another site may send JSON."""
    response = HttpResponse(status=204)
    response["Allow"] = response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Access-Control-Max-Age"] = "86400"
    return response
