"""Sign-up API for other sites that have a form of their own, with the same abuse protection.

API middleware lets every site read the API. These calls send mail, so a browser may make them only
from origins that the operator lists in SIGNUP_ORIGINS. Programs send no Origin header and may call.
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

# Documented in docs/operators/signup.md. The public API description leaves these calls out, because only
# sites that agreed with the operator can use them.
subscriptions = Router(tags=["subscriptions"])

# The same for every address: it must not reveal whether an address is subscribed.
ACCEPTED_MESSAGE = "If the address can receive mail, an email with the next step is on its way."
INVALID_PROOF_MESSAGE = (
    "The proof is missing, expired, wrong or already used. Get a new challenge from"
    " subscriptions/challenge and solve it."
)
UNKNOWN_CONSENT_VERSION_MESSAGE = (
    "Unknown version. Show the text that subscriptions/challenge returns, and send its version."
)
ORIGIN_NOT_ALLOWED_MESSAGE = (
    "Pages of this site may not sign up readers: the operator lists allowed sites in"
    " SIGNUP_ORIGINS."
)
CONTENT_TYPE_MESSAGE = "Send JSON with the header Content-Type: application/json."


class ConsentText(Schema):
    version: str
    text: Annotated[str, Field(description="The text to show beside the form.")]


class Challenge(Schema):
    """A proof-of-work challenge in the format of ALTCHA's widgets, and the consent text to show."""

    parameters: dict[str, Any]
    signature: str
    consent: ConsentText


class SignupPayload(Schema):
    """A sign-up request."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, Field(max_length=1_000)]
    topics: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(max_length=200, description="Topic slugs; an empty list means all topics."),
    ] = []
    timezone: Annotated[str, Field(max_length=64, description="Such as Europe/Berlin.")] = ""
    consent: Annotated[
        str, Field(max_length=16, description="The version of the consent text that was shown.")
    ]
    proof: Annotated[
        str,
        Field(
            max_length=proof_of_work.MAX_PROOF_CHARS, description="The solved challenge, in Base64."
        ),
    ]


class SignupAccepted(Schema):
    """The response to a sign-up: the same whether or not the address is subscribed."""

    detail: str


def require_allowed_origin(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse browsers on sites that the operator did not list; let programs pass."""

    @wraps(view)
    def check_origin(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        origin = request.headers.get("Origin", settings.SITE_URL)
        if origin not in {settings.SITE_URL, *settings.SIGNUP_ORIGINS}:
            return problem_response(403, ORIGIN_NOT_ALLOWED_MESSAGE)
        response = view(request, *args, **kwargs)
        if "Origin" in request.headers:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "Retry-After"
        return response

    return check_origin


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
    summary="Send somebody a link to confirm a subscription",
    include_in_schema=False,
)
@decorate_view(never_cache, require_allowed_origin)
def ask_to_join(
    request: HttpRequest, payload: SignupPayload
) -> HttpResponse | Status[dict[str, str]]:
    # Do not accept other types: a browser sends those to other sites without a preflight request.
    if request.content_type != "application/json":
        return problem_response(415, CONTENT_TYPE_MESSAGE)
    form = SignupForm(payload.dict(include={"email", "topics", "timezone"}))
    if errors := collect_field_errors(payload, form):
        detail = " ".join(f"{error.parameter}: {error.detail}" for error in errors)
        return problem_response(422, detail, errors=errors)
    try:
        subscriber = abuse_protection.request_signup(
            abuse_protection.SignupRequest(**form.cleaned_data),
            ConsentContext(form=FormKind.API, version=payload.consent, ip=get_client_ip(request)),
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
    """Return what is wrong with each field.

    Verify the proof last: verifying uses it up, and a typing error should not cost a new one.
    """
    details = {name: " ".join(map(str, errors)) for name, errors in form.errors.items()}
    if payload.consent not in consent.CONSENT_TEXTS:
        details["consent"] = UNKNOWN_CONSENT_VERSION_MESSAGE
    if not details and not abuse_protection.is_valid_proof(payload.proof):
        details["proof"] = INVALID_PROOF_MESSAGE
    return [FieldError(parameter=name, detail=detail) for name, detail in details.items()]


@subscriptions.api_operation(["OPTIONS"], "", include_in_schema=False)
@decorate_view(require_allowed_origin)
def preflight(request: HttpRequest) -> HttpResponse:
    """Answer the CORS preflight request that precedes JSON from another site's page."""
    response = HttpResponse(status=204)
    response["Allow"] = response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Access-Control-Max-Age"] = "86400"
    return response
