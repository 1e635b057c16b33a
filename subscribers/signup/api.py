"""Signup by the API, for other sites with a form of their own, under the same protection.

The API middleware allows every site to read. These calls send mail, so browsers may make them only
from the sites of SIGNUP_ORIGINS; a program, which sends no Origin, may make them too.
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

# Described in docs/operators/embedding.md: only sites that agreed with the operator can use it, so it
# is not in the public API description.
subscriptions = Router(tags=["subscriptions"])

ACCEPTED_MESSAGE = "If the address can receive mail, a confirmation email is on its way."
INVALID_PROOF_MESSAGE = (
    "The proof is missing, too old, wrong or used already. Get a new challenge from"
    " subscriptions/challenge and solve it."
)
UNKNOWN_CONSENT_VERSION_MESSAGE = (
    "This is not a version of our consent text: subscriptions/challenge returns the current one."
)


class ConsentText(Schema):
    version: str
    text: Annotated[
        str, Field(description="The text that people must be able to read before they sign up.")
    ]


class Challenge(Schema):
    """A proof-of-work challenge as ALTCHA widgets expect it, and the consent text to show."""

    parameters: dict[str, Any]
    signature: str
    consent: ConsentText


class SignupPayload(Schema):
    """A signup: address, topics, time zone, consent and proof of work."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, Field(max_length=1_000)]
    topics: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(max_length=200, description="Slugs; an empty list means all topics."),
    ] = []
    timezone: Annotated[str, Field(max_length=64, description="For example Europe/Berlin.")] = ""
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
    """The response, which does not reveal whether the address is known."""

    detail: str


ORIGIN_NOT_ALLOWED_MESSAGE = (
    "Pages of this site are not allowed to sign people up: see SIGNUP_ORIGINS."
)


def require_allowed_origin(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Reject browsers on sites that are not in SIGNUP_ORIGINS; programs send no Origin."""

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
    summary="Get a proof-of-work challenge and the consent text",
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
    summary="Sign up an address; its owner is asked by email to confirm",
    include_in_schema=False,
)
@decorate_view(never_cache, require_allowed_origin)
def ask_to_join(request: HttpRequest, payload: SignupPayload) -> HttpResponse | Status[Any]:
    # A browser sends other content types across sites without a preflight request.
    if request.content_type != "application/json":
        return problem_response(415, "Send JSON with Content-Type: application/json.")
    form = SignupForm(payload.dict(include={"email", "topics", "timezone"}))
    if errors := collect_field_errors(payload, form):
        detail = " ".join(f"{error.parameter}: {error.detail}" for error in errors)
        return problem_response(422, detail, errors=errors)
    consent_context = ConsentContext(
        form=FormKind.API, version=payload.consent, ip=get_client_ip(request)
    )
    try:
        subscriber = abuse_protection.request_signup(
            abuse_protection.SignupRequest(**form.cleaned_data),
            consent_context,
            has_proof_of_work=True,
            now=timezone.now(),
        )
    except abuse_protection.RateLimitedError as error:
        response = problem_response(429, str(error))
        response["Retry-After"] = str(error.retry_after_seconds)
        return response
    tasks.enqueue_confirmation_on_commit(subscriber.pk)
    return Status(202, {"detail": ACCEPTED_MESSAGE})


def collect_field_errors(payload: SignupPayload, form: SignupForm) -> list[FieldError]:
    """Return all errors; verify the proof last, so that a typing error does not use it up."""
    errors = {name: " ".join(map(str, messages)) for name, messages in form.errors.items()}
    if payload.consent not in consent.CONSENT_TEXTS:
        errors["consent"] = UNKNOWN_CONSENT_VERSION_MESSAGE
    if not errors and not abuse_protection.is_valid_proof(payload.proof):
        errors["proof"] = INVALID_PROOF_MESSAGE
    return [FieldError(parameter=name, detail=detail) for name, detail in errors.items()]


@subscriptions.api_operation(["OPTIONS"], "", include_in_schema=False)
@decorate_view(require_allowed_origin)
def preflight(request: HttpRequest) -> HttpResponse:
    """Answer the CORS preflight request of a browser."""
    response = HttpResponse(status=204)
    response["Allow"] = response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Access-Control-Max-Age"] = "86400"
    return response
